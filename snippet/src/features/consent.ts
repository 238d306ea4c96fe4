// Consent: until it is given nothing leaves and nothing is stored; when it is withdrawn, what was stored goes.
import { config } from '../core/config.ts';
import { api, steps } from '../core/emit.ts';
import { guard } from '../core/safe.ts';
import type { Envelope, Outcome, Step, TrackerEvent } from '../core/types.ts';

export type Answer = 'grant' | 'deny' | 'wait' | Record<string, boolean>;

const key = 'hw:consent';
const category = (): string => config.category || 'analytics';

/** Delete all that this tracker keeps; the names it uses begin alike. */
const wipe = (): void => {
  guard(() => {
    for (const name of Object.keys(localStorage)) if (/^hw:/.test(name)) delete localStorage[name];
  });
  const name = config.cookie || 'hw_id';
  const domain = config.domain ? ';domain=' + config.domain : '';
  guard(() => (document.cookie = `${name}=;path=/;max-age=0${domain}`));
};

export const consent = (): void => {
  let given: boolean | undefined;
  let said: Answer | undefined;
  let held: [event: TrackerEvent, envelope: Envelope, resolve: (outcome: Outcome) => void][] = [];
  const inMemory = config.memory;
  const hold: Step = (event, envelope) => {
    envelope.context.consent = typeof said === 'object' ? said : { [category()]: !!given };
    if (given) return;
    if (given === false || held.length > 99) return { outcome: 'dropped', reason: 'consent' };
    return new Promise((resolve) => held.push([event, envelope, resolve]));
  };
  const decide = (answer: Answer): void => {
    said = answer;
    const now = typeof answer === 'object' ? answer[category()] : { grant: true, deny: false }[answer as string];
    config.memory = now ? inMemory! : true;
    if (now) guard(() => (localStorage[key] = JSON.stringify(answer)));
    if (now === false) wipe();
    given = now;
    const waiting = held;
    if (given !== undefined) held = [];
    // What waited goes on from the step after this one, with the time it happened at.
    for (const [event, envelope, resolve] of given === undefined ? [] : waiting) {
      let outcome: Outcome;
      steps.slice(steps.indexOf(hold)).some((step) => (outcome = guard(step, event, envelope)!));
      resolve(outcome);
    }
  };
  steps.push(hold);
  api.consent = decide;
  decide(guard(() => JSON.parse(localStorage[key])) || 'wait');
};
