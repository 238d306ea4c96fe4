// UUIDv7: unique, and in the order of time, so that ids sort as events happened (RFC 9562, section 5.7).

export const uuid = (): string => {
  // Time in hex, then decimal digits of 128 random bits: digits are hex too, and the 18 used here hold 58 bits.
  const digits = '0' + Date.now().toString(16) + crypto.getRandomValues(new Uint32Array(4)).join('');
  let at = 0;
  return 'xxxxxxxx-xxxx-7xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => digits[at++]!);
};
