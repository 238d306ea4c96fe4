// Patience: some routers change the title long after the address. A view waits for it, a second at most.
import { steps } from '../core/emit.ts';
import { leavings } from '../core/leaving.ts';
import { resume } from '../core/resume.ts';
import type { Step } from '../core/types.ts';

export const title = (): void => {
  let last: string | undefined;
  // Hidden, left or followed by the next view: the one that waits goes with the title that there is.
  let settle: () => void = () => {};
  const hold: Step = (event, envelope) => {
    const page = envelope.context.page as { title: string };
    if (event.type !== 'page') return;
    settle();
    let tries = 0;
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout>;
      settle = () => {
        settle = () => {};
        clearTimeout(timer);
        last = page.title = document.title;
        resolve(resume(hold, event, envelope));
      };
      const look = (): void => {
        // Between two titles there may be none: React takes the old one away first.
        if ((!document.title || document.title === last) && tries++ < 20 && !document.hidden)
          timer = setTimeout(look, 50);
        else settle();
      };
      look();
    });
  };
  steps.push(hold);
  leavings.push(() => settle());
};
