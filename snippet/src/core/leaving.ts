// The end of a view: the page is hidden or goes, or single-page navigation moves on. Work here comes before delivery's.
import { who, steps } from './emit.ts';
import { guard, listen } from './safe.ts';

/** Told what ended the view: `visibilitychange`, `pagehide` or, within the document, `page`. */
export const leavings: ((why: string) => void)[] = [];

export const leaving = (): void => {
  const leave = ({ type }: { type: string }): void => {
    if (document.hidden || type !== 'visibilitychange') leavings.map((work) => guard(work, type));
  };
  listen(leave, 'visibilitychange', 'pagehide');
  // Before the next page's view goes out, the last one ends.
  steps.push((event) => {
    if (event.type === 'page' && who._before) leave(event);
  });
};
