// What the script tag says: `data-user="u-1"`, and properties of every event: `data-group="blog"`, `data-author="Ann"`.
import { steps, who } from '../core/emit.ts';

export const attributes = (): void => {
  const { user, ...said } = { ...(document.currentScript as HTMLScriptElement | null)?.dataset };
  if (user) who._userId = user;
  steps.push((event) => {
    event.properties &&= { ...said, ...event.properties }; // people and groups have traits instead
  });
};
