// `?hw-debug` on any page shows each event and what the collector said to it.
import { steps } from '../core/emit.ts';
import type { Answer } from '../core/types.ts';

export const debug = (): void => {
  if (!/hw-debug/.test(location.search)) return;
  const deliver = steps.pop()!; // the last step delivers; it is watched, not changed
  // Text and style objects only: a strict Content-Security-Policy and Trusted Types have nothing to refuse.
  const log = document.createElement('textarea');
  const say = (said: object): void => {
    document.documentElement.append(log);
    log.prepend(JSON.stringify(said) + '\n');
  };
  (log as any).style = 'position:fixed;bottom:0;width:100%;height:40%';
  steps.push((event, envelope) => {
    const outcome = deliver(event, envelope);
    say(event); // which has its id now
    (outcome as Promise<Answer> | undefined)?.then((answer) => say({ messageId: event.messageId, ...answer }));
    return outcome;
  });
};
