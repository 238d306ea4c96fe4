// Signs of life: what shows that the visitor is with the page.
import { listen } from './safe.ts';

export const alive = (act: (event: Event) => void): unknown =>
  listen(act, 'pointermove', 'pointerdown', 'keydown', 'scroll', 'visibilitychange');
