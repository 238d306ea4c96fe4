// What the script tag says: `data-group="blog"`, `data-prop-author="Ann"`, `data-trait-plan="pro"`, `data-user="u-1"`.
import { script } from '../core/config.ts';
import { emit, state, steps } from '../core/emit.ts';
import type { Properties } from '../core/types.ts';

export const attributes = (): void => {
  const properties: Properties = {};
  const traits: Properties = {};
  for (const { name, value } of script?.attributes || []) {
    const [, kind, key] = /^data-(prop|trait|group|user)-?(.*)/.exec(name) || [];
    if (kind === 'prop') properties[key!] = value;
    if (kind === 'group') properties.contentGroup = value;
    if (kind === 'trait') traits[key!] = value;
    if (kind === 'user') state._userId = value;
  }
  steps.push((event) => {
    if (event.type === 'page' || event.type === 'track') event.properties = { ...properties, ...event.properties };
  });
  if (Object.keys(traits)[0]) setTimeout(emit, 0, 'identify', state._userId, traits);
};
