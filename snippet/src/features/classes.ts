// The same where an editor allows classes only: `class="hw-event--Signed+up hw-prop-plan--pro"`.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';
import type { Properties } from '../core/types.ts';

export const classes = (): void => {
  const act = ({ target, type }: Event): void => {
    const element = (target as Element).closest('[class*=hw-event--]')!;
    const said: Properties = {};
    element.classList.value.replace(
      /hw-(prop-)?(\S+?)--(\S+)/g,
      (_, _prop, word, value) => (said[word] = value.replace(/\+/g, ' ')),
    );
    const { event, ...rest } = said;
    if ((type === 'submit') === element.matches('form')) track(event as string, rest);
  };
  listen(act, 'click', 'submit');
};
