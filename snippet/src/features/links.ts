// Links that lead away, files that are fetched, buttons that are pressed.
import { track } from '../core/emit.ts';
import { listen } from '../core/safe.ts';

export const clicks = (): void => {
  const clicked = (event: MouseEvent): void => {
    const element = (event.target as Element).closest<HTMLAnchorElement | HTMLButtonElement>('a[href],button');
    if (!element) return;
    const text = element.textContent!.trim().slice(0, 80);
    if (!('href' in element)) track('Button Clicked', { text, id: element.id || undefined });
    else if (element.host !== location.host) track('Outbound Link Clicked', { url: element.href, text });
  };
  listen(document, 'click', clicked);
  listen(document, 'auxclick', (event) => event.button === 1 && clicked(event)); // opened in a new tab
};
