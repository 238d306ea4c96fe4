// What most features do: record that something happened.
import { emit } from './emit.ts';
import type { Outcome, Properties } from './types.ts';

export const track = (event: string, properties?: Properties): Outcome => emit('track', event, properties);
