// One batch to the collector, and what its answer means: safe, never, or later.
import { config, endpoint } from '../core/config.ts';
import { forget, keep, taken } from './batch.ts';
import type { Batch, Waiting } from './batch.ts';
import type { Verdict } from '../core/types.ts';

export const queue: Batch[] = [];
/** Who waits for which event. */
export const waiting: Waiting = {};
/** Told every verdict; the debug overlay listens. */
export const verdicts: ((messageId: string, verdict: Verdict) => void)[] = [];
/** The state of the line: failures in a row, the answer that came last, when to send next. */
export const line = { _fails: 0, _well: false, _next: 0, _flying: 0, _interval: 0 };

const settle = (batch: Batch, refused: (Verdict & { messageId: string })[]): void => {
  queue.splice(queue.indexOf(batch), 1);
  forget(batch);
  for (const { messageId } of batch._body.batch) {
    const verdict = refused.find((event) => event.messageId === messageId) || { outcome: 'stored' };
    waiting[messageId!]?.(verdict);
    delete waiting[messageId!];
    verdicts.forEach((tell) => tell(messageId!, verdict));
  }
};

/** What is sent: `sentAt` lets the collector correct a wrong clock. */
export const packed = (batch: Batch): string => JSON.stringify({ ...batch._body, sentAt: Date.now() });

const judge = async (batch: Batch, response: Response): Promise<void> => {
  const { status, headers } = response;
  line._interval = +headers.get('X-Headwater-Interval')! || line._interval;
  if (status > 499 || status === 429 || status === 408) {
    line._next = Date.now() + 1e3 * +headers.get('Retry-After')!;
    throw status;
  }
  // A 200 that is not ours (a hotel's login page) fails to parse and is tried again.
  const refused = status === 200 ? (await response.json()).events : [];
  line._fails = 0;
  line._well = true;
  line._next = Date.now() + line._interval;
  settle(batch, status < 400 ? refused : batch._body.batch.map(({ messageId }) => ({ messageId, outcome: 'refused', reason: headers.get('X-Headwater-Reason') })));
};

export const send = async (batch: Batch): Promise<void> => {
  if (taken(batch)) return settle(batch, []);
  batch._flying = batch._sealed = true;
  line._flying += batch._bytes;
  keep(batch, Date.now() + 6e4);
  try {
    await judge(
      batch,
      await fetch(endpoint!, {
        method: 'POST',
        body: packed(batch), // a string goes as text/plain: no preflight
        keepalive: line._flying < 6e4, // the browser's budget for what outlives a page
        credentials: config.credentials ? 'include' : 'omit',
        referrerPolicy: 'strict-origin',
        signal: AbortSignal.timeout?.(3e4),
      } as RequestInit),
    );
  } catch {
    line._well = false;
    // 1 s, 2 s, 4 s … 5 minutes, and up to half as much again so that visitors do not return as one.
    const pause = Math.min(3e5, 500 * 2 ** ++line._fails) * (1 + Math.random() / 2);
    line._next = Math.max(line._next, Date.now() + pause);
    keep(batch, line._next + 3e4);
  }
  line._flying -= batch._bytes;
  batch._flying = false;
};
