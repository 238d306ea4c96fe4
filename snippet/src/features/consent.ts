// Consent: where it is required, until it is given nothing leaves and nothing is stored; when it is withdrawn, what was stored goes.
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
  let said: Answer;
  let given: boolean | undefined = true;
  let held: (() => void)[] = [];
  const hold: Step = (event, envelope) => {
    envelope.context.consent = said;
    if (given) return;
    if (given === false || held[99]) return { outcome: 'dropped' };
    return new Promise((resolve) => held.push(() => resolve(hold(event, envelope) || resume(hold, event, envelope))));
  };
  const decide = (answer: Answer): void => {
    said = { grant: { analytics: true }, deny: { analytics: false } }[answer as 'grant'] || answer;
    given = (said as Record<string, boolean>).analytics;
    config.memory = !given || memory;
    if (given === undefined) return;
    guard(() => {
      if (given) localStorage['hw:consent'] = JSON.stringify(said);
      else for (const name in localStorage) if (!name.indexOf('hw:')) delete localStorage[name];
    });
    if (!given) bake('', 0);
    // What waited goes on with the time it happened at.
    held.splice(0).map((release) => release());
  };
  steps.push(hold);
  api.consent = decide;
  const kept = guard(() => JSON.parse(localStorage['hw:consent'])) || (config.consent && 'wait');
  if (kept) decide(kept);
};
