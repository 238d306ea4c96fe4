// How long the page took, as the browser's navigation timing tells it, and how much it had to fetch.
import { track } from '../core/track.ts';

export const timing = (): void => {
  const tell = (): void => {
    const resources = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    track('Timing', {
      ...performance.getEntriesByType('navigation')[0]!.toJSON(),
      resources: resources.length,
      bytes: resources.reduce((sum, { transferSize }) => sum + transferSize, 0),
    });
  };
  // The load event's own end is known only after it.
  const soon = (): unknown => setTimeout(() => (document.readyState === 'complete' ? tell() : soon()), 99);
  soon();
};
