// Engaged time: the pauses between signs of life while the page is in front, none counted for more than half a minute.
import { now } from '../core/now.ts';
import { alive } from '../core/alive.ts';
import { leavings } from '../core/leaving.ts';
import { measured } from './ending.ts';

export const engaged = (): void => {
  let total = 0;
  let last = now();
  const act = ({ type }: Partial<Event>): void => {
    // Coming back into view is a sign of life, but the time before it was not spent here.
    if (type !== 'visibilitychange' || document.hidden) total += Math.min(now() - last, 3e4);
    last = now();
  };
  alive(act);
  leavings.push(() => {
    if (!document.hidden) act({});
    measured.engagedSeconds = Math.round(total / 1e3);
    total = 0;
  });
};
