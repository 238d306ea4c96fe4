// Pages that are not there, with the address that led to them.
import { steps } from '../core/emit.ts';
import { track } from '../core/track.ts';

export const notfound = (): void => {
  let [{ responseStatus }] = performance.getEntriesByType('navigation') as any;
  steps.push(({ type }) => {
    if (type !== 'page') return;
    // Single-page apps answer 200 to everything; their titles give them away.
    if (responseStatus === 404 || /\b404\b|not found/i.test(document.title)) setTimeout(track, 0, '404');
    responseStatus = 0; // said of the first view only
  });
};
