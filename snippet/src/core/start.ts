// The start: settings, features, the calls that waited in the stub, and the first view.
import { config, configure, endpoint } from './config.ts';
import { asOf, page, place, track } from './emit.ts';
import { guard, listen } from './safe.ts';
import type { Call, Feature, Method, Stub } from './types.ts';
import type { Config } from '../settings.ts';

/** What pages can call; features add theirs. */
export const api: Record<string, Method> = { page, track, ready: (call?: Method) => call?.() };
export const features: Feature[] = [];

/** One view, unless the site counts by hand. */
export const view = (): void => {
  if (!config.manual) page();
};

/** Answer to the global's name, first to what was called before this file came. */
const takeCalls = (): void => {
  const host = window as unknown as Record<string, Stub>;
  const stub: Stub = (host[config.global || 'headwater'] ||= ((...args: unknown[]) =>
    new Promise((resolve) => calls.push([Date.now(), args as Call[1], resolve]))) as Stub);
  const calls: Call[] = (stub.q ||= []);
  const answer = ([time, [method, ...args], resolve]: Call): unknown =>
    resolve!(asOf(time, () => api[method]!(...args)));
  if (stub[endpoint!]) return; // loaded twice
  stub[endpoint!] = 1;
  begin();
  for (const method in api) stub[method] ||= (...args: unknown[]) => stub(method, ...args);
  calls.forEach((call) => guard(answer, call));
  // Another source under the same name finds the early calls here, and hears the later ones too.
  const keep = calls.push;
  calls.push = (call) => {
    guard(answer, call);
    return calls.length < 99 ? keep.call(calls, call) : 0;
  };
  firstView();
};

const begin = (): void => {
  Object.assign(place, { url: location.href, referrer: document.referrer });
  for (const feature of features) guard(feature);
};

/** A page restored from the back/forward cache is seen again; one opened behind others is not seen yet. */
const firstView = (): void => {
  let seen = false;
  const look = (): void => {
    if (!seen && !document.hidden) {
      seen = true;
      view();
    }
  };
  listen(document, 'visibilitychange', look);
  listen(window, 'pageshow', (event) => event.persisted && view());
  look();
};

/** Run `work` now or, in a page that is only prerendered, once somebody looks at it. */
const whenActive = (work: () => void): void => {
  if ((document as { prerendering?: boolean }).prerendering) listen(document, 'prerenderingchange', work);
  else guard(work);
};

/** How the composed file starts. */
export const boot = (settings: Config, tag?: HTMLScriptElement | null): void => {
  configure(settings, tag);
  whenActive(takeCalls);
};

/** How a bundled site starts: with the features it imported. */
export const start = (settings: Config, chosen: Feature[] = []): void => {
  configure(settings);
  features.push(...chosen);
  whenActive(() => {
    begin();
    firstView();
  });
};
