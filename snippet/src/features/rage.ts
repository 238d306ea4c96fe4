// Frustration: clicks that come in anger, and clicks after which nothing happens.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';
import { interactive, selector } from './autocapture.ts';

export const rage = (): void => {
  let clicks: MouseEvent[] = [];
  listen((event: MouseEvent) => {
    const target = event.target as Element;
    const said = { selector: selector(target) };
    // Three within a second, in one place.
    clicks = clicks.filter(
      (old) => event.timeStamp - old.timeStamp < 1e3 && Math.hypot(event.x - old.x, event.y - old.y) < 30,
    );
    if (clicks.push(event) === 3) track('Rage Click', said);
    // Dead: no change of the page within two seconds, and nothing that the browser does by itself, which may be slow or
    // elsewhere: a link leads on, a form is sent.
    let dead: any = target.closest(interactive);
    const { href } = location;
    const observer = new MutationObserver(() => (dead = 0));
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    setTimeout(() => {
      observer.disconnect();
      if (dead && href === location.href && (event.defaultPrevented || !(dead.href || dead.form)))
        track('Dead Click', said);
    }, 2e3);
  }, 'click');
};
