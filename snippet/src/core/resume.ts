// How a step lets go of an event that it held back: the steps after it take over.
import { steps } from './emit.ts';
import { guard } from './safe.ts';
import type { Envelope, Outcome, Step, TrackerEvent } from './types.ts';

export const resume = (after: Step, event: TrackerEvent, envelope: Envelope): Outcome =>
  steps
    .slice(steps.indexOf(after) + 1)
    .reduce((outcome: Outcome, step) => outcome || guard(step, event, envelope)!, undefined);
