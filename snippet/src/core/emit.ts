// The way of an event: made, enriched by the features that are in, handed to delivery.
import { guard } from './safe.ts';
import type { Enrich, Envelope, EventType, Outcome, Properties, TrackerEvent } from './types.ts';

export const enrichers: Enrich[] = [];
/** The last step: the fragment `queue` or the fragment `direct` puts itself here. */
export const delivery: Enrich[] = [];
/** This page's address and the one before it; a single-page navigation moves both on. */
export const place = { url: '', referrer: '' };
/** When a call that the stub kept was made; 0 for calls made now. */
let calledAt = 0;

/** Do `work` as if it were `time`. */
export const asOf = (time: number, work: () => unknown): unknown => {
  calledAt = time;
  const result = guard(work);
  calledAt = 0;
  return result;
};

export const emit = (type: EventType, fields: Partial<TrackerEvent>): Outcome => {
  const event: TrackerEvent = { type, ...fields, originalTimestamp: calledAt || Date.now() };
  const envelope: Envelope = { context: { page: { ...place, title: document.title } } };
  for (const step of [...enrichers, ...delivery]) {
    const outcome = guard(step, event, envelope);
    if (outcome) return outcome;
  }
  return;
};

/** Record something that happened. */
export const track = (event: string, properties?: Properties): Outcome => emit('track', { event, properties });

/** Record a view; without a name it is the page's address that counts. */
export const page = (name?: string, properties?: Properties): Outcome => emit('page', { name, properties });
