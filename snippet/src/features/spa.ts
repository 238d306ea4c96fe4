// Single-page navigation: look again whenever the history moves.
import { lookSoon } from '../core/begin.ts';
import { listen } from '../core/safe.ts';

export const spa = (): void => {
  listen(lookSoon, 'popstate');
  // A router that keeps the methods that it found, as Next does, calls none that replace them later: its own are then
  // the outermost. Else they are replaced where they live: a page may freeze `history`, and nothing new is enumerable.
  (['pushState', 'replaceState'] as const).map((name) => {
    const methods = { ...history }[name] ? history : History.prototype;
    const original = methods[name];
    methods[name] = (...args) => {
      lookSoon(original.apply(history, args));
    };
  });
};
