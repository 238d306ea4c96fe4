// A sign of life in long reads: one event for every so many seconds, while the page shows.
import { config } from '../core/config.ts';
import { track } from '../core/track.ts';

export const heartbeat = (): void => {
  const seconds = config.heartbeat || 60;
  setInterval(() => document.hidden || track('Heartbeat', { seconds }), seconds * 1e3);
};
