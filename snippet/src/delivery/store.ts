// Memory that outlasts the page, where the browser and the visitor allow it. Denied or full: nothing breaks.
import { config } from '../core/config.ts';
import { guard } from '../core/safe.ts';

/** Read, write or (with null) delete one key; what cannot be kept reads as undefined. */
export const read = (key: string): string | null | undefined => guard(() => localStorage.getItem(key));
export const write = (key: string, value: string | null): boolean | undefined =>
  guard(() => {
    if (value === null) localStorage.removeItem(key);
    else if (config.storage !== false) localStorage.setItem(key, value);
    return true;
  });
