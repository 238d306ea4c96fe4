// Respect: Global Privacy Control, and Do Not Track if the source says so. (Who opted out is left out by the core.)
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';

export const privacy = (): void => {
  if (
    ((navigator as Navigator & { globalPrivacyControl?: boolean }).globalPrivacyControl && !config.ignoreGpc) ||
    (config.dnt && +navigator.doNotTrack! === 1)
  )
    steps.push(() => ({ outcome: 'dropped' }));
};
