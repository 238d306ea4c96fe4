// A share of visitors stands for all; the same visitor is always in or always out, as far as the privacy mode can tell.
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';
import { recall, remember } from '../core/store.ts';

export const sampling = (): void => {
  const dice = recall('dice', 31536e3) ?? Math.random();
  remember('dice', dice);
  if (dice >= (config.sample ?? 1)) steps.push(() => ({ outcome: 'dropped', reason: 'sampling' }));
  else steps.push((_, envelope) => void (envelope.context.sample = config.sample));
};
