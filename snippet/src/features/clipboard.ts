// Printed and copied: that it happened and how much, never what.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const clipboard = (): void => {
  listen(() => track('Print'), 'beforeprint');
  listen(() => track('Copy', { length: String(getSelection()).length }), 'copy');
};
