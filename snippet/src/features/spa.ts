// Single-page navigation: look again whenever the history moves.
import { lookSoon } from '../core/begin.ts';
import { listen } from '../core/safe.ts';

export const spa = (): void => {
  listen(lookSoon, 'popstate');
  const methods = History.prototype; // where they live: a page may freeze `history`, and nothing new is enumerable
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = methods[name];
    methods[name] = function (...args) {
      original.apply(this, args);
      lookSoon();
    };
  }
};
