// How long the page took, and what it had to fetch.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const timing = (): void => {
  const tell = (): void => {
    const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    if (!entry) return;
    const from = (entry as { activationStart?: number }).activationStart || 0;
    const at = (time: number): number => Math.max(0, Math.round(time - from));
    const resources = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    const [slowest] = [...resources].sort((a, b) => b.duration - a.duration);
    track('Page Timed', {
      type: entry.type,
      dns: Math.round(entry.domainLookupEnd - entry.domainLookupStart),
      connect: Math.round(entry.connectEnd - entry.connectStart),
      response: at(entry.responseStart),
      download: Math.round(entry.responseEnd - entry.responseStart),
      interactive: at(entry.domInteractive),
      load: at(entry.loadEventEnd),
      resources: resources.length,
      bytes: resources.reduce((sum, { transferSize }) => sum + transferSize, entry.transferSize),
      slowest: slowest?.name.split('?')[0],
    });
  };
  // `loadEventEnd` is known once the load event is over.
  if (document.readyState === 'complete') setTimeout(tell);
  else listen('load', (event) => event.target === document && setTimeout(tell));
};
