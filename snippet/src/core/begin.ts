// The beginning, served or bundled: what counts as a view.
import { config } from './config.ts';
import { emit, state } from './emit.ts';
import { listen } from './safe.ts';

/** The address that was viewed last, or nothing when what shows now is to be viewed anew. */
let viewed: string | undefined;

/** One view for every address that somebody really sees. */
export const look = (): void => {
  const address = location.href.split('#')[0]!;
  // A page opened behind others, or only prerendered, is hidden: it counts once it shows.
  if (document.hidden || viewed === address) return;
  state._before = viewed;
  viewed = address;
  if (!config.manual) emit('page');
};
/** Routers change the address first and the title after: let them finish. */
export const lookSoon = (_?: unknown): unknown => setTimeout(look);

export const watch = (): void => {
  // Left before its turn came: it was seen. Back from the browser's memory: seen again.
  listen(() => (look(), (viewed = '')), 'pagehide');
  listen(lookSoon, 'visibilitychange', 'pageshow');
  lookSoon();
};
