// `@headwater/tracker`: the tracker for sites that bundle their scripts. The same code as in the served file; only what
// is imported ends up in the bundle. Importing touches neither `window` nor the network, so it is safe on a server.
import { configure } from './core/config.ts';
import { lookSoon, watch } from './core/begin.ts';
import { emit } from './core/emit.ts';
import { guard } from './core/safe.ts';
import type { Answer, Feature, Outcome, Properties } from './core/types.ts';
import type { Answer as Consent } from './features/consent.ts';
import type { Shopping } from './features/ecommerce.ts';
import type { Config } from './settings.ts';

export type { Config, Consent, Feature, Outcome, Properties, Shopping };
export type { Answer, Verdict } from './core/types.ts';

export { address } from './features/address.ts';
export { attribution } from './features/attribution.ts';
export { autocapture } from './features/autocapture.ts';
export { bots } from './features/bots.ts';
export { classes } from './features/classes.ts';
export { clipboard } from './features/clipboard.ts';
export { consent as consentFeature } from './features/consent.ts';
export { consentsignals } from './features/consentsignals.ts';
export { context } from './features/context.ts';
export { crossdomain } from './features/crossdomain.ts';
export { debug } from './features/debug.ts';
export { direct } from './delivery/direct.ts';
export { ecommerce } from './features/ecommerce.ts';
export { ending } from './features/ending.ts';
export { engaged } from './features/engaged.ts';
export { errors } from './features/errors.ts';
export { forms } from './features/forms.ts';
export { formsteps } from './features/formsteps.ts';
export { hash } from './features/hash.ts';
export { heartbeat } from './features/heartbeat.ts';
export { hints } from './features/hints.ts';
export { leaving } from './core/leaving.ts';
export { links } from './features/links.ts';
export { media } from './features/media.ts';
export { notfound } from './features/notfound.ts';
export { privacy } from './features/privacy.ts';
export { queued as queue } from './delivery/queue.ts';
export { rage } from './features/rage.ts';
export { sampling } from './features/sampling.ts';
export { scroll } from './features/scroll.ts';
export { search } from './features/search.ts';
export { session } from './features/session.ts';
export { spa } from './features/spa.ts';
export { tagged } from './features/tagged.ts';
export { timing } from './features/timing.ts';
export { title } from './features/title.ts';
export { visible } from './features/visible.ts';
export { visitor } from './features/visitor.ts';
export { vitals } from './features/vitals.ts';

/** Calls made before `start`, which keep their times; undefined once it ran. */
let early: (() => void)[] | undefined = [];

/**
 * Start the tracker, once. Features run in the given order: what may stop an event first, then `queue` (or `direct`),
 * then `debug`. On a server this does nothing, and every call is dropped at once.
 */
export const start = (settings: Config & { endpoint: string }, features: readonly Feature[]): void => {
  if (typeof window === 'undefined' || !early) return;
  configure(settings);
  watch();
  for (const feature of features) guard(feature);
  const waiting = early;
  early = undefined;
  waiting.forEach((work) => work());
  lookSoon();
};

/** The collector's answer and its verdict, or one of them; nothing where the call says nothing, or could not be written. */
const ask = (method: string, ...args: unknown[]): Promise<Partial<Answer> | undefined> =>
  new Promise((resolve) => {
    const time = Date.now();
    const work = (): void => resolve(guard(emit, time, method, ...args) as Partial<Answer>);
    // On a server nobody starts the tracker: a call that waited would do so for good, in memory.
    if (typeof window === 'undefined') resolve({ outcome: 'dropped' });
    else if (early) early.push(work);
    else work();
  });

/** Record something that happened; resolves with the collector's answer, and its verdict if some were refused. */
export const track = (event: string, properties?: Properties) => ask('track', event, properties);
/** Record a view by hand. */
export const page = (name?: string, properties?: Properties) => ask('page', name, properties);
/** Say who the visitor is. */
export const identify = (userId: string, traits?: Properties) => ask('identify', userId, traits);
/** Say which group the visitor belongs to; those of a group are its traits. */
export const group = (groupId: string, traits?: Properties) => ask('group', groupId, traits);
export const alias = (userId: string, previousId: string) => ask('alias', userId, previousId);
/** Properties for every view and event from now on. */
export const set = (properties: Properties) => ask('set', properties);
/** Somebody else may sit here now. */
export const reset = () => ask('reset');
/** What the visitor agrees to; waiting for it needs `consentFeature`. */
export const consent = (answer: Consent) => ask('consent', answer);
/** Not to be counted, in this browser. */
export const optOut = () => ask('optOut');
export const optIn = () => ask('optIn');
/** A step of shopping, in the words of GA4. Needs `ecommerce`. */
export const shop = (step: Shopping, order?: Properties) => ask(step, order);
/** Send what waits; resolves once the newest event is safe. Needs `queue`. */
export const flush = () => ask('flush');
