// A link or button that is pressed: the first and the middle button, the keyboard too; the middle one opens a new tab.
import { listen } from './safe.ts';

export const press = (selector: string, work: (element: any) => void): void => {
  for (const type of ['click', 'auxclick'])
    listen(type, ({ target, button }) => button < 2 && work((target as Element).closest(selector)!));
};
