// Forms that are started, and those given up.
import { leavings } from '../core/leaving.ts';
import { listen } from '../core/safe.ts';
import { formSaid } from './forms.ts';

export const formsteps = (): void => {
  const started = new Set<HTMLFormElement>();
  listen(({ target: { form } }) => {
    if (form && !started.has(form) && started.add(form)) formSaid('Started', form);
  }, 'input');
  listen(({ target }) => started.delete(target), 'submit');
  leavings.push(() => {
    started.forEach((form) => formSaid('Abandoned', form));
    started.clear();
  });
};
