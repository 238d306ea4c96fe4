// Site search: what was looked for, read from the results page's address.
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';
import { track } from '../core/track.ts';

export const search = (): void => {
  const words = RegExp(`[?&](?:${config.search || 'q|query|s|search|keyword'})=([^&#]+)`);
  let last: string | undefined;
  steps.push(({ type }) => {
    const found = type === 'page' ? words.exec(location.search)?.[1] : last;
    if (found && found !== last) setTimeout(track, 0, 'Site Searched', { query: decodeURIComponent(found.replace(/\+/g, ' ')) });
    last = found;
  });
};
