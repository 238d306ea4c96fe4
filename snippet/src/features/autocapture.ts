// Clicks on whatever can be clicked, with a selector that survives redesigns and text that gives nobody away.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const interactive = 'a,button,summary,[role],[onclick],[type=submit]';

/** From the nearest id down, four steps at most; ids with digits are likely generated and passed over. */
export const selector = (element: Element, steps = 4): string =>
  /^[_a-z-]+$/i.test(element.id)
    ? '#' + element.id
    : (steps && element.parentElement ? selector(element.parentElement, steps - 1) + '>' : '') +
      [element.localName, ...element.classList].slice(0, 2).join('.');

export const autocapture = (): void => {
  listen(({ target }) => {
    const element = (target as Element).closest(interactive)!;
    // What a visitor can read on it, without addresses and numbers that identify.
    const text = element.closest('[data-hw-mask]')
      ? ''
      : element
          .textContent!.trim()
          .slice(0, 80)
          .replace(/\S+@\S+|\d[\d .-]{4,}/g, '*');
    if (!element.closest('[data-hw-ignore]'))
      track('Click', { url: (element as HTMLAnchorElement).href, selector: selector(element), text });
  }, 'click');
};
