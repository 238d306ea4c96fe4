// Clicks on whatever can be clicked, with a selector that survives redesigns and text that gives nobody away.
import { config } from '../core/config.ts';
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const interactive = 'a,button,summary,label,select,input,[role=button],[role=tab],[role=menuitem],[onclick]';

/** From the nearest id (or test id) down; generated-looking ids and classes are passed over. */
export const selector = (element: Element | null): string => {
  const path: string[] = [];
  for (; element && path.length < 5; element = element.parentElement) {
    const { id } = element;
    const tag = element.tagName.toLowerCase();
    if (id && !/\d{3}|:/.test(id)) return [`#${id}`, ...path].join('>');
    const steady = [...element.classList].find((name) => /^[a-z-]{3,20}$/i.test(name));
    path.unshift(steady ? `${tag}.${steady}` : tag);
  }
  return path.join('>');
};

/** What a visitor can read on it, without addresses, numbers that identify, or anything typed. */
export const label = (element: Element): string | undefined =>
  config.maskText || element.closest('[data-hw-mask]')
    ? undefined
    : (element.getAttribute('aria-label') || (/INPUT|SELECT|LABEL/.test(element.tagName) ? '' : element.textContent!))
        .trim()
        .slice(0, 80)
        .replace(/\S+@\S+|\d[\d .-]{4,}\d/g, '…');

export const autocapture = (): void => {
  listen('click', ({ target }) => {
    const element = (target as Element).closest(interactive);
    if (element && !element.closest('[data-hw-ignore]'))
      track('Element Clicked', {
        selector: selector(element),
        tag: element.tagName.toLowerCase(),
        text: label(element),
        url: (element as HTMLAnchorElement).href,
      });
  });
};
