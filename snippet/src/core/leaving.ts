// The end of a view: the page is hidden or goes, or single-page navigation moves on. Work here comes before delivery's.
import { steps } from './emit.ts';
import { guard, listen } from './safe.ts';

export const leavings: (() => void)[] = [];

export const leaving = (): void => {
  const leave = (event: { type: string }): void => {
    if (document.hidden || event.type !== 'visibilitychange') leavings.forEach((work) => guard(work));
  };
  listen('visibilitychange', leave);
  listen('pagehide', leave);
  // Before the next page's view goes out, the last one ends.
  steps.push((event) => {
    if (event.type === 'page') leave(event);
  });
};
