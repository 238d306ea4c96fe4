// Client hints: what modern browsers say about the device only when asked; where consent is needed, not before it.
import { choose } from '../core/choice.ts';
import { api, steps } from '../core/emit.ts';
import { guard } from '../core/safe.ts';

interface Hints {
  getHighEntropyValues(names: string[]): Promise<Record<string, unknown>>;
}

export const hints = (): void => {
  let asked: unknown;
  let known: unknown;
  steps.push((_, { context }) => {
    // What was denied never comes here. The feature `consent` takes the place of the core's call.
    if (api.consent === choose || context.consent)
      asked ||= (navigator as { userAgentData?: Hints }).userAgentData
        ?.getHighEntropyValues(['model', 'platformVersion', 'fullVersionList'])
        .then((values) => (known = values), guard); // a refusal is dropped
    context.userAgentData = known;
  });
};
