// Shopping, in the words of GA4: `headwater('purchase', {transaction_id, value, currency, items})`.
import { api } from '../core/emit.ts';
import { recall, remember } from '../core/store.ts';
import { track } from '../core/track.ts';

interface Order {
  transaction_id?: string;
  value?: number;
  items?: { price?: number; quantity?: number }[];
}

export const ecommerce = (): void => {
  const words =
    'view_item_list select_item view_item add_to_wishlist add_to_cart remove_from_cart view_cart begin_checkout add_shipping_info add_payment_info purchase refund view_promotion select_promotion';
  for (const word of words.split(' '))
    api[word] = (order: Order = {}) => {
      // A thank-you page that is loaded again is not a second purchase.
      const id = word === 'purchase' && order.transaction_id;
      if (id && recall('order', 86400) === id) return { outcome: 'dropped', reason: 'same order' };
      if (id) remember('order', id);
      const value = order.items?.reduce((sum, { price = 0, quantity = 1 }) => sum + price * quantity, 0);
      return track(word, { value, ...order });
    };
};
