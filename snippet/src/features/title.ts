// Patience: some routers change the title long after the address. A view waits for it, a second at most.
import { steps } from '../core/emit.ts';
import { leavings } from '../core/leaving.ts';
import { resume } from '../core/resume.ts';
import type { Step } from '../core/types.ts';

export const title = (): void => {
  let last: string | undefined;
  let look: () => void = () => {};
  const hold: Step = (event, envelope) => {
    const page = envelope.context.page as { title: string };
    if (event.type !== 'page') return;
    if (last !== (last = page.title)) return;
    let tries = 0;
    return new Promise((resolve) => {
      look = () => {
        if (document.title === last && tries++ < 20 && !document.hidden) return void setTimeout(look, 50);
        look = () => {};
        last = page.title = document.title;
        resolve(resume(hold, event, envelope));
      };
      look();
    });
  };
  steps.push(hold);
  leavings.push(() => look());
};
