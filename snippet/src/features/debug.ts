// `?hw-debug` on any page shows each event and what the collector said to it.
import { steps } from '../core/emit.ts';

export const debug = (): void => {
  if (!/hw-debug/.test(location.search)) return;
  // Text and style objects only: a strict Content-Security-Policy and Trusted Types have nothing to refuse.
  const log = document.createElement('textarea');
  (log as any).style = 'position:fixed;bottom:0;width:100%;height:40%';
  const say = (...words: unknown[]): void => {
    document.documentElement.append(log);
    log.prepend(words.map(JSON.stringify as (word: unknown) => string).join(' ') + '\n');
  };
  const deliver = steps.pop()!; // the last step delivers; it is watched, not changed
  steps.push((event, envelope) => {
    const outcome = deliver(event, envelope);
    say(event); // which has its id now
    // Of an answer only what was said of this event is its own, and so written.
    (outcome as Promise<Response> | undefined)?.then((answer) => say(event.messageId, answer.status, answer));
    return outcome;
  });
};
