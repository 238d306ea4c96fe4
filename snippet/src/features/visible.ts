// Elements that were seen: `data-hw-visible="Pricing table"`, once half of it is on screen.
import { track } from '../core/track.ts';

export const visible = (): void => {
  const attribute = 'data-hw-visible';
  const known = new Set<Element>();
  const observer = new IntersectionObserver(
    (entries) =>
      entries.forEach(({ target, isIntersecting }) => {
        if (!isIntersecting) return;
        observer.unobserve(target);
        track('Element Seen', { element: target.getAttribute(attribute) });
      }),
    { threshold: 0.5 },
  );
  const find = (): void =>
    document.querySelectorAll(`[${attribute}]`).forEach((element) => {
      if (!known.has(element)) observer.observe(element);
      known.add(element);
    });
  new MutationObserver(find).observe(document, { subtree: true, childList: true });
  find();
};
