// Frustration: clicks that come in anger, and clicks after which nothing happens.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';
import { interactive, selector } from './autocapture.ts';

export const rage = (): void => {
  let clicks: MouseEvent[] = [];
  listen('click', (event: MouseEvent) => {
    const near = (other: MouseEvent): boolean =>
      event.timeStamp - other.timeStamp < 1e3 && Math.hypot(event.x - other.x, event.y - other.y) < 30;
    clicks = [...clicks.filter(near), event];
    const target = event.target as Element;
    if (clicks.length === 3) track('Rage Clicked', { selector: selector(target) });
    if (!target.closest(interactive) || target.closest('input,select,label,[target]')) return;
    // Dead: no change of the page, no scrolling, no navigation within two seconds.
    let alive: unknown;
    const { href } = location;
    const see = (): unknown => (alive = 1);
    const observer = new MutationObserver(see);
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    for (const type of ['scroll', 'pagehide', 'visibilitychange', 'focusin', 'submit']) addEventListener(type, see, { capture: true, once: true });
    setTimeout(() => {
      observer.disconnect();
      if (!alive && href === location.href) track('Dead Clicked', { selector: selector(target) });
    }, 2e3);
  });
};
