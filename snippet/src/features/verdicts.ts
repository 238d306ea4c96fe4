// Tells callers what became of each event: stored, duplicate or refused, and why.
import { verdicts as source } from '../delivery/queue.ts';
import type { Verdict } from '../core/types.ts';

export const verdicts = (): void => {
  let last: Response | undefined;
  let told: Verdict[] = [];
  source._of = async (answer, { messageId }) => {
    if (answer !== last) {
      last = answer;
      // 204 has no body: all are safe. 200 names those that are not, or were there before.
      told = answer.status === 200 ? (await answer.json()).events : [];
    }
    const otherwise = { outcome: answer.ok ? 'stored' : 'refused', reason: answer.headers.get('X-Headwater-Reason') };
    return told.find((verdict) => verdict.messageId === messageId) || otherwise;
  };
};
