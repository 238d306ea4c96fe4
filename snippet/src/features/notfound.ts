// Pages that are not there, with the address that led to them.
import { steps } from '../core/emit.ts';
import { track } from '../core/track.ts';

export const notfound = (): void => {
  const [navigation] = performance.getEntriesByType('navigation') as (PerformanceEntry & { responseStatus?: number })[];
  let status = navigation?.responseStatus;
  steps.push(({ type }) => {
    // Single-page apps answer 200 to everything; their title gives them away, or a tag that says so.
    if (type === 'page' && (status === 404 || document.querySelector('meta[name="hw-status"][content="404"]') || /\b404\b|not found/i.test(document.title)))
      setTimeout(track, 0, 'Page Not Found', { path: location.pathname, referrer: document.referrer });
    if (type === 'page') status = 0; // said of the first view only
  });
};
