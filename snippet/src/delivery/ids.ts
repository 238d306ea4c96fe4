// UUIDv7: unique, and in the order of time, so that ids sort as events happened (RFC 9562, section 5.7).

export const uuid = (): string => {
  // Time in hex, then 18 random digits, which hold 59 bits: an id must differ from others, it is no secret.
  return (Date.now().toString(16).replace(/.{7}/, '0$&-') + '-7xxx-8xxx-xxxxxxxxxxxx').replace(
    /x/g,
    () => ((Math.random() * 10) | 0) as unknown as string,
  );
};
