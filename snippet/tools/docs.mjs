// Writes the generated tables of docs/tracker.md between their markers (presets, features with their cost, settings), and
// the one number in README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { fragments, presets, settings } from '../src/manifest.mjs';
import { sizes } from './size.mjs';

const path = new URL('../../docs/tracker.md', import.meta.url);
const front = new URL('../../README.md', import.meta.url);
const [begin, end] = ['<!-- made by `npm run docs` -->\n', '<!-- end of what is made -->'];
export const page = () => readFileSync(path, 'utf8');

/** README.md with the weight of the default preset as it is. */
export const readme = () =>
  readFileSync(front, 'utf8').replace(
    /[\d,]+( bytes in its default set)/,
    (_, words) => sizes().presets.core.brotli.toLocaleString('en') + words,
  );

const row = (...cells) => `| ${cells.join(' | ')} |\n`;
const helpers = 'base boot track ids store resume press cookie alive leaving ending slices'.split(' ');

export function table() {
  const { presets: weights, features } = sizes();
  let text = `${begin}${row('preset', 'raw', 'gzip', 'brotli', 'made of')}${row('---', '--:', '--:', '--:', '---')}`;
  for (const [name, { raw, gzip, brotli }] of Object.entries(weights))
    text += row(
      `**${name}**`,
      raw,
      gzip,
      `**${brotli}**`,
      name === 'everything' ? 'all below but those marked \\*' : presets[name].map((one) => `\`${one}\``).join(' '),
    );
  text += `\n${row('feature', 'brotli', 'settings', 'what it does')}${row('---', '--:', '---', '---')}`;
  for (const { name, config = [], help } of fragments) {
    if (helpers.includes(name)) continue;
    const cost = features[name] ? `+${features[name].brotli}` : 'in core';
    text += row(
      `\`${name}\`${presets.everything.includes(name) ? '' : ' \\*'}`,
      ['lite', 'direct'].includes(name) ? '' : cost,
      config.map((key) => `\`${key}\``).join(' '),
      help,
    );
  }
  text += `\n${row('setting', 'type', 'default', 'meaning')}${row('---', '---', '---', '---')}`;
  for (const [name, { type, default: value, help }] of Object.entries(settings))
    text += row(`\`${name}\``, type, value === '' ? '' : `\`${JSON.stringify(value).replace(/\|/g, '\\|')}\``, help);
  return text + end;
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const old = page();
  writeFileSync(front, readme());
  writeFileSync(path, old.slice(0, old.indexOf(begin)) + table() + old.slice(old.indexOf(end) + end.length));
}
