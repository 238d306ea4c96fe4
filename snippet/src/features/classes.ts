// The same where an editor allows classes only: `class="hw-event--Signed+up hw-prop-plan--pro"`.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';
import type { Properties } from '../core/types.ts';

export const classes = (): void => {
  const act = ({ target, type }: Event): void => {
    const element = (target as Element).closest('[class*=hw-event--]')!;
    const properties: Properties = {};
    for (const one of element.classList) {
      const [word, value] = one.replace(/\+/g, ' ').split('--');
      if (/^hw-/.test(word!)) properties[word!.replace(/^hw-(prop-)?/, '')] = value;
    }
    const { event, ...rest } = properties;
    if ((type === 'submit') === (element.tagName === 'FORM')) track(event as string, rest);
  };
  listen('click', act);
  listen('submit', act);
};
