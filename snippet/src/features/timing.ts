// How long the page took, as the browser's navigation timing tells it, and how much it had to fetch.
import { track } from '../core/track.ts';

export const timing = (): void => {
  const tell = (): void => {
    const resources = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    // The load event's own end is known only after it.
    if (navigation!.loadEventEnd)
      track('Timing', {
        ...navigation!.toJSON(),
        resources: resources.length,
        bytes: resources.reduce((sum, resource) => sum + resource.transferSize, 0),
      });
    else setTimeout(tell, 99);
  };
  setTimeout(tell, 99);
};
