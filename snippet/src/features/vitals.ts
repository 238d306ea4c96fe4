// Web vitals: LCP, CLS, INP, FCP and TTFB, reported once when the page is first left or hidden, and anew after a return
// from the browser's memory. Our own, because the `web-vitals` package alone outweighs the whole tracker.
import { leavings } from '../core/leaving.ts';
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean };
type Interaction = PerformanceEventTiming & { interactionId: number };

export const vitals = (): void => {
  let found: Record<string, number> = {};
  let told = document.hidden; // a page that loads hidden has no meaningful paint
  let start = 0;
  const see = <T extends PerformanceEntry>(type: string, each: (entry: T) => void, more?: object): void => {
    try {
      new PerformanceObserver((list) => (list.getEntries() as T[]).forEach(each)).observe({ type, buffered: true, ...more } as PerformanceObserverInit);
    } catch {} // not every browser measures everything
  };
  const since = (time: number): number => Math.max(0, Math.round(time - start));
  const [navigation] = performance.getEntriesByType('navigation') as (PerformanceNavigationTiming & { activationStart?: number })[];
  if (navigation) {
    start = navigation.activationStart || 0; // prerendered: time runs from when it was shown
    found.ttfb = since(navigation.responseStart);
  }
  see('paint', ({ name, startTime }) => {
    if (name === 'first-contentful-paint') found.fcp = since(startTime);
  });

  // Largest paint: final once the visitor does something.
  let touched = false;
  for (const type of ['keydown', 'pointerdown']) listen(type, () => (touched = true));
  see('largest-contentful-paint', ({ startTime }) => {
    if (!touched) found.lcp = since(startTime);
  });

  // Shifts count in windows: at most 1 s apart, at most 5 s long; the worst window is the score.
  let session = 0;
  let first = 0;
  let last = 0;
  see<Shift>('layout-shift', ({ value, startTime, hadRecentInput }) => {
    if (hadRecentInput) return;
    if (startTime - last > 1e3 || startTime - first > 5e3) (session = 0), (first = startTime);
    session += value;
    last = startTime;
    found.cls = Math.max(found.cls || 0, Math.round(session * 1e4) / 1e4);
  });

  // The slowest interaction, leaving out one for every fifty.
  const slow = new Map<number, number>();
  const interaction = ({ interactionId, duration }: Interaction): void => {
    if (interactionId) slow.set(interactionId, Math.max(slow.get(interactionId) || 0, duration));
  };
  see<Interaction>('event', interaction, { durationThreshold: 40 });
  see<Interaction>('first-input', interaction);

  leavings.push(() => {
    const worst = [...slow.values()].sort((a, b) => b - a);
    if (worst[0]) found.inp = Math.round(worst[Math.min(worst.length - 1, Math.floor(worst.length / 50))]!);
    if (!told && found.fcp !== undefined) track('Web Vitals', { cls: 0, ...found });
    told = true;
  });
  listen('pageshow', ({ persisted, timeStamp }: PageTransitionEvent) => {
    if (!persisted) return;
    found = {};
    slow.clear();
    told = touched = false;
    session = 0;
    start = timeStamp;
    // Two frames later the restored page has been painted.
    requestAnimationFrame(() => requestAnimationFrame(() => (found.fcp = found.lcp = since(performance.now()))));
  });
};
