// Web vitals: LCP, CLS, INP, FCP and TTFB, told once when the page is first left or hidden, and anew after a return
// from the browser's memory. Our own, because the `web-vitals` package alone outweighs the whole tracker.
import { leavings } from '../core/leaving.ts';
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const vitals = (): void => {
  const [{ responseStart, activationStart = 0 }] = performance.getEntriesByType('navigation') as any;
  let start: number | undefined;
  let found: Record<string, number>;
  let slow: Record<string, number>;
  let session: number;
  let first: number;
  let last: number;
  /** Begin anew. Without a time nothing is to be told: what counts from there is not a number. */
  const begin = (time?: number): void => {
    start = time;
    slow = {};
    found = { cls: (session = 0) };
  };
  begin();
  // A page that loads hidden has no meaningful paint; if it was prerendered, time runs from when it was shown.
  if (!document.hidden) begin(activationStart);
  const since = (time: number): number => Math.max(0, Math.round(time - start!));
  const see = (type: string, each: (entry: any) => void): void => {
    const observer = new PerformanceObserver((list) => list.getEntries().map(each));
    // A type that this browser does not know is ignored, with a word in its console at most.
    observer.observe({ type, buffered: true, durationThreshold: 40 } as PerformanceObserverInit);
    leavings.push(() => observer.takeRecords().map(each)); // what it has not told yet
  };

  found!.ttfb = since(responseStart);
  see('paint', ({ startTime, name }) => {
    if (/c/.test(name)) found.fcp = since(startTime);
  });
  // The browser itself stops reporting larger paints once the visitor does something.
  see('largest-contentful-paint', ({ startTime }) => (found.lcp = since(startTime)));
  // Shifts count in windows: less than 1 s apart, less than 5 s long; the worst window is the score.
  see('layout-shift', ({ startTime, hadRecentInput, value }) => {
    if (hadRecentInput) return;
    if (!(startTime - last < 1e3 && startTime - first < 5e3)) ((session = 0), (first = startTime));
    last = startTime;
    found.cls = Math.max(found.cls!, (session += value));
  });
  // The slowest interaction, leaving out one for every fifty.
  see('event', ({ interactionId, duration }) => {
    if (interactionId) slow[interactionId] = Math.max(slow[interactionId] || 0, duration);
  });
  leavings.push((why) => {
    const worst = Object.values(slow).sort((a, b) => b - a);
    // These belong to the document, not to a view; and once it is hidden the browser has told all, which is after `pagehide`.
    if (why === 'visibilitychange') {
      if (found.fcp! >= 0) track('Web Vitals', { ...found, inp: worst[(worst.length / 50) | 0] });
      begin();
    }
  });
  listen(({ persisted, timeStamp }: PageTransitionEvent) => {
    if (!persisted) return;
    begin(timeStamp);
    // Two frames later the restored page has been painted.
    requestAnimationFrame(() => requestAnimationFrame((now) => (found.lcp = found.fcp = since(now))));
  }, 'pageshow');
};
