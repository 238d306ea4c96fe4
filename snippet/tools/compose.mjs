// The join that the collector does when it serves a tracker, for tests: same fragments, same template, same bytes.
import { readFileSync } from 'node:fs';

export const asset = () => JSON.parse(readFileSync(new URL('../dist/tracker.json', import.meta.url), 'utf8'));
const template = () => readFileSync(new URL('../../templates/tracker.js.j2', import.meta.url), 'utf8');

/** The chosen fragments and all they require, in the order of joining. */
export function closure({ fragments }, chosen) {
  const wanted = new Set();
  const want = (name) => {
    if (wanted.has(name)) return;
    wanted.add(name);
    const found = fragments.find((fragment) => fragment.name === name);
    if (!found) throw new Error(`no fragment ${name}`);
    found.requires.forEach(want);
  };
  const whole = chosen.length === 1;
  for (const name of chosen)
    ((!whole && fragments.find((fragment) => fragment.name === name)?.instead) || [name]).forEach(want);
  return fragments.filter(({ name }) => wanted.has(name));
}

const escapes = { '<': '\\u003c', '\u2028': '\\u2028', '\u2029': '\\u2029' };
/** Settings as JSON that is safe inside a script: canonical order, no default values. */
export const literal = (config) =>
  JSON.stringify(Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)))).replace(
    /[<\u2028\u2029]/g,
    (character) => escapes[character],
  );

export function compose(chosen, config = {}, from = asset()) {
  const joined = closure(from, from.presets[chosen] ?? chosen);
  const told = [...Object.keys(config), ...joined.flatMap(({ sets = [] }) => sets)];
  const codes = joined.map(({ code, plain, rare }) =>
    !plain || rare.some((key) => told.includes(key)) ? code : plain,
  );
  return template()
    .replace(/\{#.*?#\}\n?/gs, '')
    .replace(/\{\{ "async ".*?\}\}/, joined.some(({ name }) => name === 'slices') ? 'async ' : '')
    .replace(/\s*\{\{- fragments.*?\}\}\s*/, () => codes.join(''))
    .replace(/\{\{ config.*?\}\}/, () => literal(config))
    .trimEnd();
}
