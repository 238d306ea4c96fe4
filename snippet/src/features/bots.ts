// Signs of automation that no request shows, for the collector to weigh: it knows far more about bots than a page.
import { steps } from '../core/emit.ts';

export const bots = (): void => {
  const automation = navigator.webdriver ? 'webdriver' : !navigator.languages[0] && 'languages';
  if (automation) steps.push((_, { context }) => void (context.automation = automation));
};
