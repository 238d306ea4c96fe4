// What a bundled site says at start. In the composed file, served/config.ts stands in this file's place.
import type { Config } from '../settings.ts';

export let config: Config = {};
/** Where events go: `<base>/e/<source>`. */
export let endpoint: string;
export const configure = (settings: Config & { endpoint: string }): void => {
  config = { ...settings };
  endpoint = settings.endpoint;
};
