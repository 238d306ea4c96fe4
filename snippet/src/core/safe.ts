// The page comes first: whatever fails in the tracker stays in the tracker.

/** Call `work` and swallow what it throws: a counted visit is never worth a broken page. */
export const guard = <A extends unknown[], R>(work: (...args: A) => R, ...args: A): R | undefined => {
  try {
    return work(...args);
  } catch {}
  return;
};

/**
 * Hear every event of the page, on its way down, before a page's own handler can stop it. Nothing here listens to
 * wheel or touch, so no listener can hold up scrolling.
 */
export const listen = (handler: (event: any) => void, ...types: string[]): unknown =>
  types.map((type) => addEventListener(type, guard.bind(0, handler as () => void), true));
