// The lite tracker: views, single-page navigation and events in one small file that stands alone. No queue, no
// retry, no ids: what the browser cannot send at once is lost. Written for size; the other files are for reading.
import type { Config } from './settings.ts';

declare const $: Config;
type Kept = [time: number, args: [method: string, name?: string, properties?: object], resolve: () => void];

const address = (document.currentScript as HTMLScriptElement).src;
const endpoint = address.replace(/\/s(\/[\w-]+)\..*/, '/e$1');
const stub = (window as any)[$.global || 'headwater'];
let calledAt: number | undefined;
let seen: string | undefined;
let url = '';
let { referrer } = document;

const emit = (event: object): void => {
  const body = JSON.stringify({
    batch: [{ ...event, originalTimestamp: calledAt }],
    sentAt: Date.now(),
    context: { page: { url, referrer, title: document.title } },
  });
  fetch(endpoint, { method: 'POST', body, keepalive: true }).catch(() => navigator.sendBeacon(endpoint, body));
};

const look = (): void => {
  if (document.hidden || seen === (seen = location.pathname + location.search)) return;
  referrer = url || referrer;
  url = location.href;
  emit({ type: 'page' });
};
const soon = (): unknown => setTimeout(look);

const answer = ([time, [type, name, properties], resolve]: Kept): void => {
  calledAt = time;
  emit({ type, [type === 'page' ? 'name' : 'event']: name, properties });
  calledAt = undefined;
  resolve();
};

if (!stub[endpoint]) {
  stub[endpoint] = 1;
  stub.q.forEach(answer);
  stub.q.push = answer;
  for (const type of ['visibilitychange', 'popstate', 'pageshow']) addEventListener(type, soon);
  // Left before its turn came: it was seen. Back from the browser's memory: seen again.
  addEventListener('pagehide', () => (look(), (seen = undefined)));
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = History.prototype[name];
    History.prototype[name] = function (...args) {
      original.apply(this, args);
      soon();
    };
  }
  soon(); // in a task of its own: the first request takes its time
}
