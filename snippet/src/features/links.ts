// Links that lead away, and files that are fetched.
import { config } from '../core/config.ts';
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const links = (): void => {
  const files = RegExp(`\\.(${config.downloads || 'pdf|docx?|xlsx?|pptx?|csv|zip|gz|rar|7z|dmg|exe|apk|mp[34]'})$`, 'i');
  const clicked = ({ target, button }: MouseEvent): void => {
    const link = (target as Element).closest<HTMLAnchorElement>('a[href]')!;
    const what = files.test(link.pathname)
      ? 'File Downloaded'
      : /^http/.test(link.protocol) && link.host !== location.host && 'Outbound Link Clicked';
    if (what && button < 2) track(what, { url: link.href }); // the middle button opens a new tab
  };
  listen('click', clicked);
  listen('auxclick', clicked);
};
