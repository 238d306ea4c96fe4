// What the visitor chose: consent by category, and not to be counted at all. Remembering a no is part of respecting it,
// so it is kept in every privacy mode.
import { guard } from './safe.ts';
import type { Choice } from './types.ts';

let kept: Choice | undefined;

/** What was chosen; storage is asked as late as possible, since the first look into it takes time. */
export const choice = (): Choice | undefined => (kept ||= guard(() => JSON.parse(localStorage.hw)));

/** Add to what was chosen: categories, or all and nothing in a word. */
export const choose = (more: any): void => {
  kept = { ...choice(), ...(more.big ? { analytics: more === 'grant' } : more) };
  localStorage.hw = JSON.stringify(kept); // denied, this ends the call: what was chosen holds as long as the page
};
