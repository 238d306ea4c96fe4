// Hash routes: in some single-page apps the part after #/ or #! is the page. Other hashes are places within one.
import { emit, state } from '../core/emit.ts';
import { config } from '../core/config.ts';
import { listen } from '../core/safe.ts';

export const hash = (): void => {
  listen(({ oldURL, newURL }: HashChangeEvent) => {
    if (!/#[/!]/.test(newURL)) return;
    state._before = oldURL;
    // Routers set the title after the address: let them finish.
    if (!config.manual) setTimeout(emit, 0, 'page');
  }, 'hashchange');
};
