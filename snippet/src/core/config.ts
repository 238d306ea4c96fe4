// What the source's settings say. Keys equal to their default are left out, so undefined always means the default.
import type { Config } from '../settings.ts';

export let config: Config = {};
/** Where events go: `<base>/e/<source>`. */
export let endpoint: string | undefined;
/** The script tag that brought the tracker, if any. */
export let script: HTMLScriptElement | null | undefined;

/** Everything follows from the script's own address, so aliases and proxies need no setting. */
export const configure = (settings: Config, tag?: HTMLScriptElement | null): void => {
  config = settings;
  script = tag;
  endpoint = config.endpoint || tag?.src.replace(/(.*)\/s\/([\w-]+).*/, '$1/e/$2');
};
