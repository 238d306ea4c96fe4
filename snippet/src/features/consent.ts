// Consent: where it is required, until it is given nothing leaves and nothing is stored; when it is withdrawn, what was
// stored goes, and only the no stays. (The core remembers the answer, and drops events after a no.)
import { choice, choose } from '../core/choice.ts';
import { config } from '../core/config.ts';
import { bake } from '../core/cookie.ts';
import { api, steps } from '../core/emit.ts';
import { resume } from '../core/resume.ts';
import { guard } from '../core/safe.ts';
import type { Step } from '../core/types.ts';

/** Everything, nothing, not yet, or category by category. */
export type Answer = 'grant' | 'deny' | 'wait' | Record<string, boolean>;

export const consent = (): void => {
  const memory = config.memory!;
  let given: unknown = true;
  let held: (() => void)[] = [];
  const hold: Step = (event, envelope) => {
    envelope.context.consent = choice();
    if (given) return;
    if (given === false || held[99]) return { outcome: 'dropped' };
    return new Promise((resolve) => held.push(() => resolve(hold(event, envelope) || resume(hold, event, envelope))));
  };
  const settle = (now: unknown): void => {
    given = now;
    config.memory = !given || memory;
    if (given === undefined) return;
    if (!given) {
      guard(() => {
        for (const name in localStorage) if (!name.indexOf('hw:')) delete localStorage[name];
      });
      bake('', 0);
    }
    // What waited goes on with the time it happened at.
    held.map((release) => release());
    held = [];
  };
  steps.push(hold);
  api.consent = (answer: Answer): void => {
    if (answer === 'wait') return settle(undefined);
    guard(choose, answer);
    settle(choice()!.analytics);
  };
  if (config.consent) settle(choice()?.analytics);
};
