// Patience: some routers change the title long after the address. A view waits for it, a second at most.
import { steps } from '../core/emit.ts';
import { leavings } from '../core/leaving.ts';
import { guard } from '../core/safe.ts';
import type { Outcome } from '../core/types.ts';

export const title = (): void => {
  let last: string | undefined;
  let release = (): void => {};
  const hold: typeof steps[number] = (event, envelope) => {
    if (event.type !== 'page') return;
    const page = envelope.context.page as { title: string };
    const same = page.title === last;
    last = page.title;
    if (!same || event.name) return;
    return new Promise((resolve) => {
      const observer = new MutationObserver(() => document.title !== last && release());
      observer.observe(document.head, { subtree: true, childList: true, characterData: true });
      const timer = setTimeout(() => release(), 1e3);
      release = () => {
        release = () => {};
        clearTimeout(timer);
        observer.disconnect();
        last = page.title = document.title;
        let outcome: Outcome;
        steps.slice(steps.indexOf(hold) + 1).some((step) => (outcome = guard(step, event, envelope)!));
        resolve(outcome);
      };
    });
  };
  steps.push(hold);
  leavings.push(() => release());
};
