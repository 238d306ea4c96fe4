// One event at the end of a view, with what was measured during it.
import { leavings } from '../core/leaving.ts';
import { track } from '../core/track.ts';

export const measured = { engagedSeconds: 0, scrollDepth: 0 };

export const ending = (): void => {
  leavings.push(() => {
    if (measured.engagedSeconds + measured.scrollDepth) track('Page Left', measured);
    measured.engagedSeconds = measured.scrollDepth = 0;
  });
};
