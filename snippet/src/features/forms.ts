// Forms that are submitted: which one, never what was typed, unless the source names the field.
import { config } from '../core/config.ts';
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';
import type { Properties } from '../core/types.ts';

/** A field may be called `id` or `name`, so the form's own attributes are asked for. */
export const formSaid = (what: string, form: HTMLFormElement): void => {
  const said: Properties = { name: form.getAttribute('name'), id: form.getAttribute('id') };
  config.formValues?.forEach((field) => (said[field] = new FormData(form).get(field)));
  track('Form ' + what, said);
};

export const forms = (): void => {
  listen(({ target }) => formSaid('Submitted', target), 'submit');
};
