// Shopping, in the words of GA4: `headwater('purchase', {transaction_id, value, currency, items})`.
import { api, emit } from '../core/emit.ts';
import { recall, remember } from '../core/store.ts';
import type { Properties } from '../core/types.ts';

export type Shopping =
  | 'view_item'
  | 'add_to_cart'
  | 'remove_from_cart'
  | 'view_cart'
  | 'begin_checkout'
  | 'add_shipping_info'
  | 'add_payment_info'
  | 'purchase'
  | 'refund';

export const ecommerce = (): void => {
  const words =
    'view_item view_cart remove_from_cart add_to_cart add_shipping_info add_payment_info begin_checkout purchase refund';
  for (const word of words.split(' '))
    api[word] = (order: Properties, _: unknown, time: number) => {
      // A thank-you page that is loaded again is not a second purchase.
      const id = word === 'purchase' && order.transaction_id;
      if (id && recall('order', 86400) === id) return;
      if (id) remember('order', id);
      return emit(time, 'track', word, order);
    };
};
