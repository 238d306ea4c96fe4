// A share of visitors stands for all; the same visitor is always in or always out, as far as the privacy mode can tell.
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';
import { recall, remember } from '../core/store.ts';

export const sampling = (): void => {
  const dice = recall('dice', 31536000) || Math.random();
  remember('dice', dice);
  steps.push((_, { context }) => {
    context.sample = config.sample;
    if (dice > config.sample!) return { outcome: 'dropped' };
  });
};
