// Client hints: what modern browsers say about the device only when asked.
import { steps } from '../core/emit.ts';

interface Hints {
  getHighEntropyValues(names: string[]): Promise<Record<string, unknown>>;
}

export const hints = (): void => {
  const asked = (navigator as { userAgentData?: Hints }).userAgentData?.getHighEntropyValues([
    'model',
    'platformVersion',
    'fullVersionList',
  ]);
  let known: unknown;
  asked?.then((values) => (known = values)).catch(() => 0);
  steps.push((_, envelope) => void (envelope.context.userAgentData = known));
};
