// Shopping, in the words of GA4: `headwater('purchase', {transaction_id, value, currency, items})`.
import { api } from '../core/emit.ts';
import { recall, remember } from '../core/store.ts';
import { track } from '../core/track.ts';
import type { Properties } from '../core/types.ts';

export const ecommerce = (): void => {
  for (const word of 'view_item add_to_cart remove_from_cart view_cart begin_checkout add_shipping_info add_payment_info purchase refund'.split(
    ' ',
  ))
    api[word] = (order?: Properties) => {
      // A thank-you page that is loaded again is not a second purchase.
      const id = word === 'purchase' && order!.transaction_id;
      if (id && recall('order', 86400) === id) return;
      if (id) remember('order', id);
      return track(word, order);
    };
};
