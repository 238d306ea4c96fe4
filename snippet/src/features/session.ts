// The session in the privacy mode `cookie`: it ends after 30 quiet minutes and, if the source says so, with a new campaign.
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';
import { recall, remember } from '../core/store.ts';
import { uuid } from '../delivery/ids.ts';

export const session = (): void => {
  let fresh: unknown;
  if (config.campaigns) {
    const campaign = location.search.match(/utm_.*/)?.[0];
    // The same campaign again is a reload, or the way back.
    fresh = campaign && campaign !== recall('utm', 9e9);
    if (fresh) remember('utm', campaign);
  }
  steps.push((_, envelope) => {
    if (config.privacy !== 'cookie') return;
    envelope.sessionId = recall('session', config.campaigns && fresh ? (fresh = 0) : 1800) || uuid();
    remember('session', envelope.sessionId);
  });
};
