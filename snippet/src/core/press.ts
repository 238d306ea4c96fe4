// A link that is pressed: the first and the middle button, the keyboard too; the middle one opens a new tab.
import { listen } from './safe.ts';

export const press = (work: (link: HTMLAnchorElement) => void): void => {
  listen(({ target, button }) => button < 2 && work((target as Element).closest('a[href]')!), 'click', 'auxclick');
};
