// The start in slices, so that no task of ours lasts long on a slow processor. Views and delivery come at its end: a page
// that closes before has the rest done at once, and is counted.
import { listen } from './safe.ts';

let gone: unknown;
let go: ((_?: unknown) => void) | undefined;

/** Before a feature whose first step is slow, or amid many: what waits on the page comes first. */
export const pause = (): unknown => gone || new Promise((resolve) => setTimeout((go = resolve)));

export const slices = (): void => {
  listen(() => ((gone = 1), go?.()), 'pagehide');
};
