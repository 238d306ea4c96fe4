// Durable delivery: events gather in batches, one batch travels at a time, and none is forgotten unanswered.
import { now } from '../core/now.ts';
import { config, endpoint } from '../core/config.ts';
import { api, steps } from '../core/emit.ts';
import { guard, listen } from '../core/safe.ts';
import type { Outcome, Step } from '../core/types.ts';
import type { Body, Waiting } from './batch.ts';
import { uuid } from './ids.ts';

let queue: Body[] = [];
let flying: Body | 0 | undefined;
let newest: Outcome;
let timer: ReturnType<typeof setTimeout>;
/** When to send next. */
let next = 0;
/** Failures in a row; undefined until the first answer. */
let fails: number | undefined;
let dropped: number | undefined;
/** The batch that events are added to, and the envelope it was opened with; empty once it is on its way. */
let open: Body;
let said: string | 0;
/** The queue's copy in storage: a key for each page, so that pages never write over each other. */
let prefix: string;
let key: string;
let copy: string | number | undefined;
/** Until when no other page may take the copy. */
let lease: number;

const add: Step = (event, envelope) => {
  // Full: what came first stays, what comes now is counted and let go.
  if (queue[50]) return void (dropped = -~dropped!);
  envelope.context.dropped = dropped;
  if (said !== (said = JSON.stringify(envelope)) || JSON.stringify(open).length > 1e4)
    queue.push((open = { ...envelope, batch: [], batchId: uuid() }));
  event.messageId = uuid();
  open.batch.push(event);
  soon(50);
  return (newest = new Promise((resolve) => ((event as Waiting)._settle = resolve)));
};

/** Look again in `wait` milliseconds. */
const soon = (wait: number): void => {
  timer = setTimeout(flush, wait, clearTimeout(timer));
};

const pack = (body: Body): string => {
  body.sentAt = now(); // lets the collector correct a wrong clock
  return JSON.stringify(body);
};

/** Keep the queue for pages to come; until `until` it stays this page's. Denied or full: memory must do. */
const keep = (until: number): void => {
  copy = guard(() =>
    queue[0] && !config.memory
      ? ((localStorage[key] = JSON.stringify([(lease = until), queue])) as string)
      : (delete localStorage[key], 0),
  );
};

const flush = async (): Promise<void> => {
  const began = now();
  // Another page took the copy while this one slept past its lease, or was hidden: what stood in it is in that one's hands.
  if (copy && lease < began && localStorage[key] !== copy)
    ((queue = queue.filter((body) => !(copy as string).includes(JSON.stringify(body)))), (said = 0));
  keep(began + 5e3); // a crashed tab's events wait no longer; should two pages send the same, the collector knows the ids
  const body = queue[0];
  if (!body || flying) return;
  if (next > began) return soon(next - began);
  flying = body;
  said = 0;
  try {
    const text = pack(body);
    const answer = await fetch(endpoint, {
      method: 'POST',
      body: text, // a string goes as text/plain: no preflight
      keepalive: text.length < 2e4, // what may outlive the page shares 64 KiB, three bytes a character at worst
      referrerPolicy: 'origin',
      ...config, // of which `fetch` knows one setting: `credentials`
    } as RequestInit);
    const { status, headers } = answer;
    if (/^5|408|429/.test(status as unknown as string)) throw headers.get('Retry-After');
    queue = queue.filter((other) => other !== body);
    // When some were refused, the answer says what became of each: every caller hears of his own event.
    const { events } = await answer.json().catch(uuid); // no JSON: any value without `events`
    (body.batch as Waiting[]).map((event, at) => event._settle?.({ status, headers, ...events?.[at] }));
    fails = 0;
    next = now() + (+headers.get('X-Headwater-Interval')! || (queue[1] ? 0 : 2e3));
  } catch (seconds) {
    delete body.sentAt;
    fails = -~fails!;
    // What the collector asks for, else 1 s, 2 s, 4 s … 256 s, and up to half as much again, so that visitors do
    // not return as one.
    next = now() + ((seconds as number) * 2 || 2 ** Math.min(9, fails)) * (2 + Math.random()) * 250;
  }
  flying = 0;
  soon(0);
};

/** Send without waiting for the interval; a pause that the collector asked for still holds. */
const hurry = (): Outcome => {
  if (!fails) next = 0;
  flush();
  return newest;
};

/**
 * The page is hidden or goes: what fits leaves as beacons, the rest is kept for the page that comes after. Nobody hears
 * what becomes of a beacon. On a line that was well a moment ago it is trusted; of all else the copy stays.
 */
const leave = (): void => {
  let fits = !fails && navigator.onLine; // a beacon made offline is lost, whatever it answers
  queue = queue.filter(
    (body) => body === flying || !(fits &&= navigator.sendBeacon(endpoint, pack(body))) || fails !== 0,
  );
  said = 0;
  keep(0);
};

/** What closed pages and dead tabs left goes first: it is older. */
const adopt = (): void => {
  for (const other in localStorage)
    // One that is damaged must not hold up the others.
    if (!other.indexOf(prefix) && other !== key)
      guard(() => {
        const [until, left] = JSON.parse(localStorage[other]) as [number, Body[]];
        if (until > now()) setTimeout(takeOver, until - now());
        else {
          // The collector knows an id for an hour: what may have arrived already must not come again after that.
          queue.unshift(...left.filter((body) => !(body.sentAt! < now() - 3e6)));
          delete localStorage[other];
          soon(0);
        }
      });
};
/** One tab at a time; where there are no locks, the lease must do. */
const takeOver = (): unknown => navigator.locks?.request(prefix, adopt).catch(uuid) || guard(adopt);

export const queued = (): void => {
  prefix = 'hw:' + endpoint + ':';
  key = prefix + uuid();
  steps.push(add);
  api.flush = hurry;
  listen(() => ((fails = 0), hurry()), 'online');
  listen(leave, 'visibilitychange', 'pagehide');
  setTimeout(takeOver);
};
