// Scroll depth: how far down the page the visitor came, in percent.
import { listen } from '../core/safe.ts';
import { measured } from './ending.ts';

export const scroll = (): void => {
  let timer: ReturnType<typeof setTimeout>;
  // Sizes are read when scrolling rests and layout is done, never while it is being made.
  listen(() => {
    timer = setTimeout(
      () => {
        measured.scrollDepth = Math.max(
          measured.scrollDepth,
          Math.round((100 * (scrollY + innerHeight)) / document.documentElement.scrollHeight),
        );
      },
      99,
      clearTimeout(timer),
    );
  }, 'scroll');
};
