// One event for every so many seconds of a long read, while time counts as engaged: the page shows, and the last sign of
// life is at most half a minute old.
import { now } from '../core/now.ts';
import { alive } from '../core/alive.ts';
import { config } from '../core/config.ts';
import { track } from '../core/track.ts';

export const heartbeat = (): void => {
  const seconds = config.heartbeat || 60;
  let last = now();
  alive(() => {
    last = now();
  });
  setInterval(() => document.hidden || now() - last > 3e4 || track('Heartbeat', { seconds }), seconds * 1e3);
};
