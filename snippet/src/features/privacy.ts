// Respect: Global Privacy Control, Do Not Track if the source says so, and visitors who opted out.
import { config } from '../core/config.ts';
import { api, steps } from '../core/emit.ts';
import { guard } from '../core/safe.ts';

export const privacy = (): void => {
  // Remembering a no is part of respecting it, so this is kept in every privacy mode.
  let out: unknown =
    ((navigator as Navigator & { globalPrivacyControl?: boolean }).globalPrivacyControl && !config.ignoreGpc) ||
    (config.dnt && +navigator.doNotTrack! === 1) ||
    guard(() => localStorage.hw_out);
  const choose = (choice: string): void => {
    out = choice;
    localStorage.hw_out = choice; // where storage is denied this ends the call, and the choice lasts as long as the page
  };
  api.optOut = () => choose('1');
  api.optIn = () => choose('');
  steps.push(() => {
    if (out) return { outcome: 'dropped' };
  });
};
