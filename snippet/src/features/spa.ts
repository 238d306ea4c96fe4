// Single-page navigation: a view when the address really changes, with the new title.
import { place } from '../core/emit.ts';
import { listen } from '../core/safe.ts';
import { view } from '../core/start.ts';

/** What tells one view from another; the fragment `hash` adds the part after #. */
export const address = { _of: (url: Location): string => url.pathname + url.search };

export const spa = (): void => {
  let last = address._of(location);
  const look = (): void => {
    if (last === (last = address._of(location))) return;
    place.referrer = place.url;
    place.url = location.href;
    view();
  };
  // Routers set the title after the address: let them finish first.
  const soon = (): unknown => setTimeout(look);
  listen(window, 'popstate', soon);
  const history = History.prototype; // patched where the methods live, so that nothing new is enumerable
  for (const method of ['pushState', 'replaceState'] as const) {
    const original = history[method];
    history[method] = function (...args) {
      original.apply(this, args);
      soon();
    };
  }
};
