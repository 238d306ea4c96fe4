// Signs of automation, for the collector to weigh: it knows far more about bots than a page can.
import { steps } from '../core/emit.ts';

export const bots = (): void => {
  const { webdriver, languages, userAgent } = navigator;
  const automation = (webdriver && 'webdriver') || (/headless/i.test(userAgent) && 'headless') || (!languages[0] && 'languages');
  if (automation) steps.push((_, { context }) => void (context.automation = automation));
};
