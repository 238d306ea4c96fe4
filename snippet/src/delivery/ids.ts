// UUIDv7: unique, and in the order of time, so that ids sort as events happened (RFC 9562, section 5.7).

export const uuid = (): string =>
  (
    Date.now().toString(16).padStart(12, '0') +
    Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => (byte | 256).toString(16).slice(1)).join('')
  ).replace(/(.{8})(.{4})(...)(...)(.{12})/, '$1-$2-7$3-8$4-$5');
