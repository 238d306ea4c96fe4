// Patience: some routers change the title long after the address. A view waits for it, a second at most.
import { steps } from '../core/emit.ts';
import { leavings } from '../core/leaving.ts';
import { resume } from '../core/resume.ts';
import type { Step } from '../core/types.ts';

export const title = (): void => {
  let last: string;
  /** Hidden, left or followed by the next view: the one that waits goes with the title that there is. */
  let settle: (() => void) | void;
  const hold: Step = (event, envelope) => {
    if (event.type !== 'page') return;
    settle?.();
    return new Promise((resolve) => {
      let tries = 0;
      const timer = setInterval(() => {
        // Between two titles there may be none: React takes the old one away first.
        if ((document.title && document.title !== last) || tries++ > 19) settle!();
      }, 50);
      settle = () => {
        settle = clearInterval(timer); // undefined: none waits any more
        last = (envelope.context.page as { title: string }).title = document.title;
        resolve(resume(hold, event, envelope));
      };
      if (document.hidden) settle();
    });
  };
  steps.push(hold);
  leavings.push(() => settle?.());
};
