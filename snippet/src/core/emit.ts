// The way of an event: made, taken through the steps that features add, the last of which delivers it.
import { choice, choose } from './choice.ts';
import { guard } from './safe.ts';
import type { Envelope, Method, Outcome, Properties, Step, TrackerEvent } from './types.ts';

export const steps: Step[] = [];

/** What the page said of the visitor, until `reset`. A visitor's id is empty once somebody else may sit here. */
export let who: {
  _id?: string | undefined;
  _userId?: unknown;
  _always?: Properties | undefined;
  /** The address that was viewed before this one. */
  _before?: string | undefined;
} = {};

/** What pages can call: a function, or what the two arguments of a call are on the wire. Features add theirs. */
export const api: Record<string, Method | readonly [string, string]> = {
  page: ['name', 'properties'],
  track: ['event', 'properties'],
  identify: ['userId', 'traits'],
  group: ['groupId', 'traits'],
  alias: ['userId', 'previousId'],
  set: (properties: Properties) => void (who._always = { ...who._always, ...properties }),
  consent: choose,
  optOut: () => choose({ out: 1 }),
  optIn: () => choose({ out: 0 }),
  reset: () => void (who = { _id: '' }),
  ready: guard,
};

/** Do what a page asked for by name at `time`: record an event, or call what else there is. */
export const emit = (time: number, type: string, first?: unknown, second?: unknown): unknown => {
  const known = api[type] as Method & readonly [string, string];
  if (known.bind as unknown) return known(first, second, time);
  const [name, more] = known;
  // A copy: the page may change its objects later. What cannot be written throws here, and harms only itself.
  const event: TrackerEvent = JSON.parse(
    JSON.stringify({
      type,
      [name]: first,
      [more]: more === 'properties' ? { ...who._always, ...(second as Properties) } : second,
      originalTimestamp: time,
    }),
  );
  const envelope: Envelope = {
    userId: (who._userId = event.userId || who._userId) as string,
    context: {
      page: { url: location.href, referrer: who._before || document.referrer, title: document.title },
      consent: choice(),
    },
  };
  // The first step that answers has dealt with the event: dropped it, held it or sent it.
  return steps.reduce(
    (outcome: Outcome, step) => outcome || guard(step, event, envelope)!,
    ((choice()?.out || choice()?.analytics === false) && { outcome: 'dropped' }) as Outcome,
  );
};
