// Delivery without memory, for the lite tracker: one request an event, no retry.
import { now } from '../core/now.ts';
import { endpoint } from '../core/config.ts';
import { steps } from '../core/emit.ts';

export const direct = (): void => {
  steps.push((event, envelope) => {
    const body = JSON.stringify({ ...envelope, batch: [event], sentAt: now() });
    // keepalive outlives the page; its 64 KiB are shared, and past them a beacon may still fit.
    fetch(endpoint, { method: 'POST', body, keepalive: true }).catch(() => navigator.sendBeacon(endpoint, body));
  });
};
