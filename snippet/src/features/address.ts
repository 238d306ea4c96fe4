// The page's address as the source wants it: the canonical one, cleaned of what identifies, with hash routes.
import { config } from '../core/config.ts';
import { steps } from '../core/emit.ts';

export const address = (): void => {
  const clean = (url: string): string =>
    (config.clean || []).reduce((text, [pattern, replacement]) => text.replace(RegExp(pattern, 'g'), replacement), url);
  steps.push((_, { context }) => {
    const page = context.page as Record<string, string>;
    const canonical = config.canonical && document.querySelector<HTMLLinkElement>('[rel=canonical]')?.href;
    page.url = clean(canonical || page.url!);
    page.referrer = clean(page.referrer!);
  });
};
