// One visitor on several of a company's domains: links to exactly those carry the id, for two minutes and this browser.
import { config } from '../core/config.ts';
import { guard, listen } from '../core/safe.ts';
import { identity } from './visitor.ts';

/** Ties a link to the browser it was made in, so that a copied address does not make two people one (FNV-1a). */
export const sign = (text: string): string => {
  let hash = 2166136261;
  for (const character of text + navigator.userAgent + navigator.language)
    hash = Math.imul(hash ^ character.codePointAt(0)!, 16777619);
  return (hash >>> 0).toString(36);
};

export const crossdomain = (): void => {
  const now = (): number => Math.floor(Date.now() / 1e3);
  const [found, id, time, signature] = /[?&]hw_x=([\w-]+)\.(\d+)\.(\w+)/.exec(location.search) || [];
  if (found) {
    if (Math.abs(now() - +time!) < 120 && sign(id! + time) === signature) identity._id = id!;
    // The parameter has done its work: it must not be shared or counted.
    const url = new URL(location.href);
    url.searchParams.delete('hw_x');
    guard(() => history.replaceState(history.state, '', url.href));
  }
  const decorate = ({ target }: Event): void => {
    const link = (target as Element).closest<HTMLAnchorElement>('a[href]');
    if (!link || !config.domains?.includes(link.hostname) || link.hostname === location.hostname || !identity._id) return;
    const url = new URL(link.href);
    const time = now();
    url.searchParams.set('hw_x', `${identity._id}.${time}.${sign(identity._id + time)}`);
    link.href = url.href;
  };
  listen('click', decorate);
  listen('auxclick', decorate);
};
