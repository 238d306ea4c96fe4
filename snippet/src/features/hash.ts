// Hash routes: in old single-page apps the part after # is the page.
import { state } from '../core/emit.ts';
import { emit } from '../core/emit.ts';
import { config } from '../core/config.ts';
import { listen } from '../core/safe.ts';

export const hash = (): void => {
  listen('hashchange', ({ oldURL }: HashChangeEvent) => {
    state._before = oldURL;
    // Routers set the title after the address: let them finish.
    if (!config.manual) setTimeout(emit, 0, 'page');
  });
};
