// The beginning, served or bundled: what counts as a view.
import { choice } from './choice.ts';
import { config } from './config.ts';
import { who } from './emit.ts';
import { record } from './record.ts';
import { listen } from './safe.ts';

/** The address that was viewed last, or nothing when what shows now is to be viewed anew. */
let viewed: string | undefined;

/** One view for every address that somebody really sees. */
export const look = (): undefined => {
  const address = location.href.split('#')[0]!;
  // A page opened behind others, or only prerendered, is hidden: it counts once it shows.
  if (document.hidden || viewed === address) return;
  who._before = viewed;
  viewed = address;
  if (!config.manual) record('page');
};
/** Routers change the address first and the title after: let them finish. */
export const lookSoon = (_?: unknown): unknown => setTimeout(look);

/** Before all else that hears a page go: its last view comes before its end. */
export const watch = (): void => {
  // Left before its turn came: it was seen. Back from the browser's memory: seen again.
  listen(() => (viewed = look()), 'pagehide');
  listen(lookSoon, 'visibilitychange', 'pageshow');
  setTimeout(choice); // a task of its own for the first look into storage, which is slow
};
