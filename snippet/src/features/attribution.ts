// Where the visitor came from, carried along: campaign and click ids of the landing page stay with every later event.
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';
import type { Properties } from '../core/types.ts';
import { recall, remember } from '../core/store.ts';

export const attribution = (): void => {
  steps.push((_, { context }) => {
    const found: Record<string, unknown> = {};
    new URLSearchParams(location.search).forEach((value, key) => {
      if (/^utm_/.test(key)) found[key.slice(4).replace('campaign', 'name')] = value;
      // gclid, gbraid, fbclid, msclkid and their kind
      if (/(clk?i|brai|^li_fat_i)d$/.test(key)) ((found.clickIds ||= {}) as Properties)[key] = value;
    });
    for (const _any in found) remember('campaign', found);
    context.campaign = recall('campaign', (config.attributionDays || 30) * 86400);
  });
};
