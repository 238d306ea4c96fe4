// Signs of automation, for the collector to weigh: it knows far more about bots than a page can.
import { steps } from '../core/emit.ts';

export const bots = (): void => {
  const automation = navigator.webdriver || /headless/i.test(navigator.userAgent);
  if (automation) steps.push((_, { context }) => void (context.automation = automation));
};
