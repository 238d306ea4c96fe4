// What the server cannot see: screen, language, time zone, and which tracker speaks.
import { version } from '../core/version.ts';
import { packing } from '../delivery/queue.ts';

export const context = (): void => {
  let known: object;
  packing.push((body) => {
    // The first look at the time zone costs tens of milliseconds: not before a batch is about to leave.
    known ||= {
      screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      library: { name: 'headwater', version },
    };
    Object.assign(body.context, known);
  });
};
