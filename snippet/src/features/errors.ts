// Errors of the page's scripts: each once, a few at most. An error loop must not become a request loop.
import { config } from '../core/config.ts';
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const errors = (): void => {
  const seen = new Set<string>();
  const report = (error: unknown, source?: string): void => {
    const { name, message = String(error), stack } = (error || {}) as Error;
    const key = message + source;
    if (seen.has(key) || seen.size >= (config.errors || 10)) return;
    seen.add(key);
    track('Error', { name, message: message.slice(0, 300), stack: stack?.slice(0, 1500), source });
  };
  listen('error', ({ error, message, filename, lineno, colno }: ErrorEvent) => {
    // Elements that fail to load raise `error` too, without a message.
    if (message) report(error || message, `${filename}:${lineno}:${colno}`);
  });
  listen('unhandledrejection', ({ reason }: PromiseRejectionEvent) => report(reason));
};
