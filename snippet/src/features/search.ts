// Site search: what was looked for, read from the results page's address.
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';
import { track } from '../core/track.ts';

export const search = (): void => {
  steps.push(({ type }) => {
    if (type === 'page')
      new URLSearchParams(location.search).forEach((query, key) => {
        if ((config.search || 'q|query|s|search').split('|').includes(key)) setTimeout(track, 0, 'Search', { query });
      });
  });
};
