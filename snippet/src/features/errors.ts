// Errors of the page's scripts: each once, ten at most. An error loop must not become a request loop.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const errors = (): void => {
  const seen = new Set<string>();
  listen(
    (event) => {
      const error = event.error || event.reason || event.message;
      const message = String(error.message || error).slice(0, 300);
      // Elements that fail to load raise `error` too, without a message.
      if (seen.size < 10 && !seen.has(message) && seen.add(message))
        track('Error', { message, stack: error.stack?.slice(0, 1500) });
    },
    'error',
    'unhandledrejection',
  );
};
