// Hash routes: in some single-page apps the part after #/ or #! is the page. Other hashes are places within one.
import { who } from '../core/emit.ts';
import { record } from '../core/record.ts';
import { config } from '../core/config.ts';
import { listen } from '../core/safe.ts';

export const hash = (): void => {
  listen(({ oldURL, newURL }: HashChangeEvent) => {
    if (!/#[/!]/.test(newURL)) return;
    who._before = oldURL;
    // Routers set the title after the address: let them finish.
    if (!config.manual) setTimeout(record, 0, 'page');
  }, 'hashchange');
};
