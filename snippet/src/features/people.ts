// Groups, aliases, properties that every event carries, and forgetting who it was.
import { api, state, steps } from '../core/emit.ts';
import type { Properties } from '../core/types.ts';

/** Done when the page says that somebody else may sit here now. */
export const resets: (() => void)[] = [];

export const people = (): void => {
  let always: Properties | undefined;
  steps.push((event) => {
    if (always && (event.type === 'page' || event.type === 'track'))
      event.properties = { ...always, ...event.properties };
  });
  api.group = ['groupId', 'traits'];
  api.alias = ['userId', 'previousId'];
  api.set = (properties: Properties) => {
    always = { ...always, ...properties };
  };
  api.reset = () => {
    always = state._userId = undefined;
    resets.forEach((forget) => forget());
  };
  api.ready = (work?: () => void) => work?.();
};
