// Consent that another tool on the page keeps: Google's Consent Mode and the IAB's TCF 2.2 are read where present.
import { api } from '../core/emit.ts';
import { guard } from '../core/safe.ts';
import type { Method } from '../core/types.ts';

declare const window: Window & { dataLayer?: any[]; __tcfapi?: Method };

export const consentsignals = (): void => {
  const tell = (granted: unknown): unknown => (api.consent as Method)({ analytics: !!granted });

  // gtag('consent', 'update', {analytics_storage: 'granted'}) arrives in the data layer as arguments; a default of
  // 'denied' only says that nobody has chosen yet.
  const read = ([command, kind, { analytics_storage: said }]: any[]): void => {
    if (command === 'consent' && ((kind === 'update' && said) || said === 'granted')) tell(said === 'granted');
  };
  const layer = (window.dataLayer ||= []);
  const push = layer.push;
  const hear: Method = guard.bind(0, read as Method);
  layer.map(hear);
  layer.push = (...entries) => entries.map(hear) && push.apply(layer, entries);

  // Purpose 1 is storing on the device, 8 measuring. The tool may come after the tracker: it is looked for ever more rarely.
  const find = (wait: number): void => {
    if (window.__tcfapi)
      window.__tcfapi('addEventListener', 2, ({ eventStatus, gdprApplies, purpose }: any) => {
        // tcloaded, useractioncomplete; not while the visitor is asked, which is cmpuishown
        if (/t/.test(eventStatus)) tell(gdprApplies === false || (purpose.consents[1] && purpose.consents[8]));
      });
    else setTimeout(find, wait, wait * 2);
  };
  find(99);
};
