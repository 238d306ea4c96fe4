// UUIDv7: unique, and in the order of time, so that ids sort as events happened (RFC 9562, section 5.7).
import { now } from '../core/now.ts';

// Time in hex, then 18 random digits, which hold 59 bits: an id must differ from others, it is no secret.
export const uuid = (): string =>
  now().toString(16).replace(/.{7}/, '0$&-') +
  '-7xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => ((Math.random() * 10) | 0) as unknown as string);
