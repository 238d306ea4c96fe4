// The page comes first: whatever fails in the tracker stays in the tracker.

/** Call `work` and swallow what it throws. */
export const guard = <A extends unknown[], R>(work: (...args: A) => R, ...args: A): R | undefined => {
  try {
    return work(...args);
  } catch {
    return; // a counted visit is never worth a broken page
  }
};

/** Listen early (pages stop propagation) and passively (a tracker never holds up scrolling). */
export const listen = (target: EventTarget, type: string, handler: (event: any) => void): void =>
  target.addEventListener(type, (event) => guard(handler, event), { capture: true, passive: true });
