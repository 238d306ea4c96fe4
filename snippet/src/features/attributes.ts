// What the script tag says: `data-user="u-1"`, the user's properties: `data-user-plan="pro"`, and properties of every event:
// `data-group="blog"`, `data-author="Ann"`.
import { steps, who } from '../core/emit.ts';
import type { Properties } from '../core/types.ts';

export const attributes = (): void => {
  const said: Properties = {};
  let traits: Properties | undefined;
  const data = (document.currentScript as HTMLScriptElement | null)?.dataset;
  for (const key in data)
    if (key === 'user') who._userId = data[key];
    else if (/^user[A-Z]/.test(key)) (traits ||= {})[key[4]!.toLowerCase() + key.slice(5)] = data[key];
    else said[key] = data[key];
  steps.push((event, { context }) => {
    context.traits = traits;
    event.properties &&= { ...said, ...event.properties }; // people and groups have traits instead
  });
};
