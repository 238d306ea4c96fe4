// Elements that were seen: `data-hw-visible="Pricing table"` once half of it was on screen for a second.
import { track } from '../core/track.ts';

export const visible = (): void => {
  const timers = new Map<Element, ReturnType<typeof setTimeout>>();
  const observer = new IntersectionObserver(
    (entries) =>
      entries.forEach(({ target, isIntersecting }) => {
        clearTimeout(timers.get(target));
        if (!isIntersecting) return;
        const seen = (): void => {
          observer.unobserve(target);
          track('Element Seen', { element: target.getAttribute('data-hw-visible') });
        };
        timers.set(target, setTimeout(seen, 1e3));
      }),
    { threshold: 0.5 },
  );
  const known = new WeakSet<Element>();
  const find = (): void =>
    document.querySelectorAll('[data-hw-visible]').forEach((element) => {
      if (!known.has(element)) observer.observe(element);
      known.add(element);
    });
  new MutationObserver(find).observe(document, { subtree: true, childList: true });
  find();
};
