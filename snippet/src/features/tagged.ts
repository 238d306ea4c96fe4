// Elements that name their own event: `data-hw-event="Signed up" data-hw-prop-plan="pro"`.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';
import type { Properties } from '../core/types.ts';

export const tagged = (): void => {
  const act = ({ target, type }: Event): void => {
    const element = (target as Element).closest<HTMLElement>('[data-hw-event]')!;
    const properties: Properties = {};
    for (const { name, value } of element.attributes)
      if (!name.indexOf('data-hw-prop-')) properties[name.slice(13)] = value;
    // A form speaks when it is submitted, anything else when it is clicked.
    if ((type === 'submit') === element.matches('form')) track(element.dataset.hwEvent!, properties);
  };
  listen(act, 'click', 'submit');
};
