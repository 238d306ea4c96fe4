// Consent: where it is required, until it is given nothing leaves and nothing is stored; when it is withdrawn, what was stored goes.
import { config } from '../core/config.ts';
import { bake } from '../core/cookie.ts';
import { api, steps } from '../core/emit.ts';
import { resume } from '../core/resume.ts';
import { guard } from '../core/safe.ts';
import type { Step } from '../core/types.ts';

/** Everything, nothing, not yet, or category by category. */
export type Answer = 'grant' | 'deny' | 'wait' | Record<string, boolean>;

const consentKey = 'hw:consent';

export const consent = (): void => {
  const memory = config.memory || false;
  let said: Answer;
  let given: boolean | undefined = true;
  let held: (() => void)[] = [];
  const hold: Step = (event, envelope) => {
    envelope.context.consent = said;
    if (!given)
      return given === false || held[99]
        ? { outcome: 'dropped' }
        : new Promise((resolve) => held.push(() => resolve(hold(event, envelope) || resume(hold, event, envelope))));
    return;
  };
  const decide = (answer: Answer): void => {
    said = answer === 'grant' ? { analytics: true } : answer === 'deny' ? { analytics: false } : answer;
    given = (said as Record<string, boolean>).analytics;
    config.memory = !given || memory;
    guard(() => {
      if (given) localStorage[consentKey] = JSON.stringify(said);
      else if (given === false) for (const name in localStorage) if (/^hw:/.test(name)) delete localStorage[name];
    });
    if (given === false) bake('', 0);
    // What waited goes on with the time it happened at.
    if (given !== undefined) held.splice(0).forEach((release) => release());
  };
  steps.push(hold);
  api.consent = decide;
  const kept = guard(() => JSON.parse(localStorage[consentKey])) || (config.consent && 'wait');
  if (kept) decide(kept);
};
