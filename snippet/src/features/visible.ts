// Elements that were seen: `data-hw-visible="Pricing table"`, once half of it is on screen.
import { track } from '../core/track.ts';

export const visible = (): void => {
  const seen = new Set<Element>();
  const observer = new IntersectionObserver(
    (entries) =>
      entries.map(({ target, isIntersecting }) => {
        if (isIntersecting && !seen.has(target) && seen.add(target))
          track('Element Seen', { element: (target as HTMLElement).dataset.hwVisible });
      }),
    { threshold: 0.5 },
  );
  const find = (): void => document.querySelectorAll('[data-hw-visible]').forEach(observer.observe, observer);
  new MutationObserver(find).observe(document, { subtree: true, childList: true });
  find();
};
