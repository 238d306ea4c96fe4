// The visitor's id in the privacy mode `cookie`: a first-party cookie, which the collector may have set itself.
// (Safari keeps a cookie that a script set for seven days, one that a server set for as long as it says.)
import { config } from '../core/config.ts';
import { bake, cookie } from '../core/cookie.ts';
import { steps } from '../core/emit.ts';
import { uuid } from '../delivery/ids.ts';
import { resets } from './people.ts';

export const identity: { _id?: string | undefined } = {};

export const visitor = (): void => {
  const kept = (): string | undefined => document.cookie.match(cookie + '=([\\w-]+)')?.[1];
  steps.push((_, envelope) => {
    if (config.privacy !== 'cookie') return;
    envelope.anonymousId = identity._id ||= kept() || uuid();
    if (kept() !== identity._id && !config.memory) bake(identity._id, 31536000);
  });
  resets.push(() => (identity._id = uuid()));
};
