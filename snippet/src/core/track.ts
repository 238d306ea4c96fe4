// What most features do: record that something happened.
import { record } from './record.ts';
import type { Outcome, Properties } from './types.ts';

export const track = (event: string, properties?: Properties): Outcome => record('track', event, properties) as Outcome;
