// Consent that another tool on the page keeps: Google's Consent Mode and the IAB's TCF 2.2 are read where present.
import { config } from '../core/config.ts';
import { api } from '../core/emit.ts';
import { guard } from '../core/safe.ts';
import type { Method } from '../core/types.ts';

interface Tcf {
  eventStatus: string;
  gdprApplies?: boolean;
  purpose: { consents: Record<string, boolean> };
}
type Host = Window & { dataLayer?: ArrayLike<unknown>[]; __tcfapi?: Method };

export const consentsignals = (): void => {
  const host = window as Host;
  const tell = (granted: boolean): void => void guard(api.consent as Method, { [config.category || 'analytics']: granted });

  // gtag('consent', 'default' | 'update', {analytics_storage: 'granted'}) arrives in the data layer as arguments.
  const read = (entry: ArrayLike<unknown>): void => {
    const state = entry[0] === 'consent' && (entry[2] as Record<string, string>).analytics_storage;
    if (state && (entry[1] === 'update' || state === 'granted')) tell(state === 'granted');
  };
  const layer = (host.dataLayer ||= []);
  layer.forEach((entry) => guard(read, entry));
  const { push } = layer;
  layer.push = (...entries) => {
    entries.forEach((entry) => guard(read, entry));
    return push.apply(layer, entries);
  };

  // Purpose 1 is storing on the device, 8 and 9 are measuring. The tool may come after the tracker.
  const listener = ({ eventStatus, gdprApplies, purpose }: Tcf, success: boolean): void => {
    if (!success || eventStatus === 'cmpuishown') return;
    tell(gdprApplies === false || [1, 8, 9].every((number) => purpose.consents[number]));
  };
  let tries = 0;
  const find = (): void => {
    if (host.__tcfapi) host.__tcfapi('addEventListener', 2, (data: Tcf, success: boolean) => guard(listener, data, success));
    else if (tries++ < 20) setTimeout(find, 500);
  };
  find();
};
