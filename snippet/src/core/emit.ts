// The way of an event: made, taken through the steps that features add, the last of which delivers it.
import { guard } from './safe.ts';
import type { Envelope, EventType, Method, Outcome, Properties, Step, TrackerEvent } from './types.ts';

export const steps: Step[] = [];

/** What the page said of the visitor, until `reset`. A visitor's id is empty once somebody else may sit here. */
export let who: { _id?: string | undefined; _userId?: unknown; _always?: Properties | undefined } = {};
/** When the stub kept the call that is answered now, and where the visitor was before. */
export const state: { _calledAt?: number; _before?: string | undefined } = {};

/** What pages can call: a function, or what the two arguments of a call are on the wire. Features add theirs. */
export const api: Record<string, Method | readonly [string, string]> = {
  page: ['name', 'properties'],
  track: ['event', 'properties'],
  identify: ['userId', 'traits'],
  group: ['groupId', 'traits'],
  alias: ['userId', 'previousId'],
  set: (properties: Properties) => void (who._always = { ...who._always, ...properties }),
  reset: () => void (who = { _id: '' }),
  ready: guard,
};

export const emit = (type: EventType, first?: unknown, second?: unknown): Outcome => {
  const [name, more] = api[type] as readonly [string, string];
  if (type === 'identify') who._userId = first;
  // A copy: the page may change its objects later. What cannot be written throws here, and harms only itself.
  const event: TrackerEvent = JSON.parse(
    JSON.stringify({
      type,
      [name]: first,
      [more]: more === 'properties' ? { ...who._always, ...(second as Properties) } : second,
      originalTimestamp: state._calledAt || Date.now(),
    }),
  );
  const envelope: Envelope = {
    userId: who._userId as string,
    context: { page: { url: location.href, referrer: state._before || document.referrer, title: document.title } },
  };
  // The first step that answers has dealt with the event: dropped it, held it or sent it.
  let outcome: Outcome;
  steps.some((step) => (outcome = guard(step, event, envelope)!));
  return outcome;
};

/** Do what a page asked for by name. */
export const call = (method: string, ...args: unknown[]): unknown =>
  (api[method] as Method).bind ? (api[method] as Method)(...args) : emit(method as EventType, ...args);
