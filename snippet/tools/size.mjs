// What each preset weighs as served, what each feature adds, and whether package.json's limits hold.
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { asset, compose } from './compose.mjs';

const limits = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).sizes;
export const weigh = (text) => ({
  raw: Buffer.byteLength(text),
  gzip: gzipSync(text, { level: 9 }).length,
  brotli: brotliCompressSync(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(text) },
  }).length,
});
const row = (name, { raw, gzip, brotli }, note = '') =>
  console.log(`${name.padEnd(14)}${[raw, gzip, brotli].map((n) => String(n).padStart(8)).join('')}  ${note}`);

export function sizes() {
  const from = asset();
  const presets = Object.fromEntries(Object.keys(from.presets).map((name) => [name, weigh(compose(name, {}, from))]));
  const core = from.presets.core;
  const without = weigh(compose(core, {}, from));
  const features = Object.fromEntries(
    from.fragments
      .filter(({ name }) => !['base', 'boot', 'direct', ...core].includes(name))
      .map(({ name }) => {
        const { raw, gzip, brotli } = weigh(compose([...core, name], {}, from));
        return [name, { raw: raw - without.raw, gzip: gzip - without.gzip, brotli: brotli - without.brotli }];
      }),
  );
  return { presets, features };
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const { presets, features } = sizes();
  console.log('preset             raw    gzip  brotli');
  let failed = false;
  for (const [name, weight] of Object.entries(presets)) {
    const over = limits[name] && weight.brotli > limits[name];
    failed ||= over;
    row(name, weight, limits[name] ? `limit ${limits[name]}${over ? '  TOO LARGE' : ''}` : '');
  }
  console.log('\nover core');
  for (const [name, weight] of Object.entries(features)) row(name, weight);
  if (failed) process.exit(1);
}
