// What the server cannot see: screen, language, time zone, and which tracker speaks.
import { steps } from '../core/emit.ts';
import { version } from '../core/version.ts';

export const context = (): void => {
  let known: object;
  steps.push((_, envelope) => {
    // Temporal knows the zone for free; where it is missing, the first look costs tens of milliseconds, so only one.
    known ||= {
      screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
      locale: navigator.language,
      timezone: (window as any).Temporal?.Now.timeZoneId() || Intl.DateTimeFormat().resolvedOptions().timeZone,
      library: { name: 'headwater', version },
    };
    envelope.context = { ...envelope.context, ...known };
  });
};
