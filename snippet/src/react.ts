// For React: start the tracker with the first component that mounts, and have its calls at hand.
import { useEffect } from 'react';
import {
  alias,
  consent,
  flush,
  group,
  identify,
  optIn,
  optOut,
  page,
  reset,
  set,
  shop,
  start,
  track,
} from './index.ts';
import type { Config, Feature } from './index.ts';

const calls = { alias, consent, flush, group, identify, optIn, optOut, page, reset, set, shop, track } as const;

export const useHeadwater = (settings: Config & { endpoint: string }, features: readonly Feature[]): typeof calls => {
  // `start` runs once, however often React mounts in development.
  useEffect(() => start(settings, features), []);
  return calls;
};
