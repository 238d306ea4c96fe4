// What most features do, in the served file: record that something happened. It goes the way of a page's calls, and so
// waits with them until every feature is in place. Stands in the place of core/track.ts.
import type { Outcome, Properties } from '../core/types.ts';
import { stub } from './stub.ts';

export const track = (event: string, properties?: Properties): Outcome => stub('track', event, properties) as Outcome;
