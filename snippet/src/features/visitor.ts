// The visitor's id in the privacy mode `cookie`: a first-party cookie, which the collector may have set itself.
// (Safari keeps a cookie that a script set for seven days, one that a server set for as long as it says.)
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';
import { uuid } from '../delivery/ids.ts';
import { resets } from './people.ts';

export const identity: { _id?: string | undefined } = {};

export const visitor = (): void => {
  if (config.privacy !== 'cookie') return;
  const name = config.cookie || 'hw_id';
  const kept = (): string | undefined => document.cookie.match(name + '=([\\w-]+)')?.[1];
  steps.push((_, envelope) => {
    envelope.anonymousId = identity._id ||= kept() || uuid();
    if (kept() !== identity._id && !config.memory)
      document.cookie = `${name}=${identity._id};path=/;max-age=31536000;samesite=lax${config.domain ? ';domain=' + config.domain : ''}`;
  });
  resets.push(() => (identity._id = uuid()));
};
