// Durable delivery: events gather into batches, one batch travels at a time, and nothing is forgotten unanswered.
import { config, endpoint } from '../core/config.ts';
import { delivery } from '../core/emit.ts';
import { guard, listen } from '../core/safe.ts';
import { api } from '../core/start.ts';
import { claim, keep, forget, open, prefix } from './batch.ts';
import { uuid } from './ids.ts';
import { line, packed, queue, send, waiting } from './send.ts';
import type { Batch } from './batch.ts';
import type { Enrich, Envelope } from '../core/types.ts';

let timer: ReturnType<typeof setTimeout> | undefined;
let dropped = 0;

/** Same visitor, same session: may travel together. */
const who = ({ anonymousId, userId, sessionId }: Envelope): string => '' + [anonymousId, userId, sessionId];

const add: Enrich = (event, envelope) => {
  event.messageId = uuid();
  // Full: what came first stays, what comes now is counted and let go.
  if (queue.length > 20) return { outcome: 'dropped', reason: 'queue full ' + ++dropped };
  let batch = queue[queue.length - 1];
  let size = new Blob([JSON.stringify(event)]).size + 300;
  if (!batch || batch._sealed || batch._bytes + size > 3e4 || who(batch._body) !== who(envelope))
    queue.push((batch = open(envelope)));
  for (const name in envelope.context)
    if (JSON.stringify(envelope.context[name]) !== JSON.stringify(batch._body.context[name]))
      (event.context ||= {})[name] = envelope.context[name];
  batch._bytes += size;
  batch._body.batch.push(event);
  schedule();
  return new Promise((resolve) => (waiting[event.messageId!] = resolve));
};

/** Send when the line is free: at once after a quiet time, else when the interval or the pause is over. */
const schedule = (): void => {
  clearTimeout(timer);
  timer = setTimeout(flush, Math.max(50, line._next - Date.now()));
};

const flush = async (): Promise<void> => {
  const batch = queue[0];
  if (!batch || line._flying || !navigator.onLine) return;
  if (line._next > Date.now()) return schedule();
  await send(batch);
  if (queue.length) schedule();
};

/** The page may be frozen next, or gone: all that fits leaves now, the rest is kept for the page that comes after. */
const hidden = (): void => {
  for (const batch of queue)
    if (!batch._flying && line._flying < 6e4 && line._next < Date.now() + 1e4 && navigator.onLine) send(batch);
};
const leave = (): void => {
  let fits = navigator.onLine && !line._fails;
  for (const batch of [...queue]) {
    const sent = batch._flying || (fits &&= navigator.sendBeacon(endpoint!, packed(batch)));
    batch._unsure = sent ? Date.now() : batch._unsure;
    // No answer can come any more: believe a line that was well a moment ago, keep a copy otherwise.
    if (sent && line._well) forget(batch), batch._flying || queue.splice(queue.indexOf(batch), 1);
    else keep(batch, 0);
  }
};

/** Take over what an earlier page or a dead tab left. */
const adopt = (): void => {
  let again = Infinity;
  for (const key of guard(() => Object.keys(localStorage)) || []) {
    if (!key.startsWith(prefix()) || queue.some((batch) => key.endsWith(batch._body.batchId))) continue;
    const batch = guard(claim, key) as Batch | number | undefined;
    if (typeof batch === 'number') again = Math.min(again, batch);
    else if (batch) keep(batch, Date.now() + 3e4), queue.unshift(batch);
  }
  if (again < Infinity) setTimeout(adopt, again - Date.now() + 1e3);
  schedule();
};

export const queued = (): void => {
  line._interval = config.interval || 2e3;
  delivery.push(add);
  api.flush = flush;
  listen(window, 'online', () => ((line._next = 0), schedule()));
  listen(document, 'visibilitychange', () => (document.hidden ? hidden() : adopt()));
  listen(window, 'pagehide', leave);
  setTimeout(() => (navigator.locks ? navigator.locks.request('hw', adopt) : adopt()), 500);
};
