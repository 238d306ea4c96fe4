// The session in the privacy mode `cookie`: it ends after 30 quiet minutes and, if the source says so, with a new campaign.
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';
import { recall, remember } from '../core/store.ts';
import { uuid } from '../delivery/ids.ts';

export const session = (): void => {
  let fresh: unknown = config.campaigns && /[?&]utm_/.test(location.search);
  steps.push((_, envelope) => {
    if (config.privacy !== 'cookie') return;
    envelope.sessionId = recall('session', fresh ? (fresh = 0) : 1800) || uuid();
    remember('session', envelope.sessionId);
  });
};
