// Links that lead away, and files that are fetched.
import { config } from '../core/config.ts';
import { press } from '../core/press.ts';
import { track } from '../core/track.ts';

export const links = (): void => {
  const files = config.downloads
    ? RegExp(`\\.(${config.downloads})$`, 'i')
    : /\.(pdf|docx?|xlsx?|pptx?|csv|zip|gz|rar|7z|dmg|exe|apk|mp[34])$/i;
  press(({ href, pathname, host }) => {
    if (files.test(pathname)) track('Download', { url: href });
    // A telephone number has no host.
    else if (host && host !== location.host) track('Outbound Link', { url: href });
  });
};
