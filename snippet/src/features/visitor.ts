// The visitor's id in the privacy mode `cookie`: a first-party cookie, which the collector may have set itself.
// (Safari keeps a cookie that a script set for seven days, one that a server set for as long as it says.)
import { config } from '../core/config.ts';
import { bake } from '../core/cookie.ts';
import { steps, who } from '../core/emit.ts';
import { uuid } from '../delivery/ids.ts';

export const visitor = (): void => {
  const kept = (): string | undefined => document.cookie.match(/hw_id=([\w-]+)/)?.[1];
  steps.push((_, envelope) => {
    if (config.privacy !== 'cookie') return;
    envelope.anonymousId = who._id = (who._id ?? kept()) || uuid();
    if (kept() !== who._id && !config.memory) bake(who._id, 31536000);
  });
};
