// Makes dist/tracker.json: every fragment minified apart with one shared name cache, so that any choice of them
// can be joined without a minifier at hand. `--check` fails when the committed file is not what the sources give.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { minify } from 'terser';
import { fragments, presets } from '../src/manifest.mjs';

const at = (path) => new URL(`../${path}`, import.meta.url);

/** A module without its import and export lines; its exported feature becomes an entry of `features`. */
function plain(file, feature) {
  const source = readFileSync(at(`src/${file}.ts`), 'utf8');
  let { code } = transformSync(source, { loader: 'ts', target: 'es2020', format: 'esm' });
  code = code.replace(/^import .*;\n/gm, '').replace(/^export \{[^}]*\};\n/gm, '');
  const head = `const ${feature} = () => {\n`;
  if (!code.includes(head)) return code;
  const start = code.indexOf(head);
  const end = code.indexOf('\n};\n', start);
  return `${code.slice(0, start)}features.push(() => {\n${code.slice(start + head.length, end)}\n});\n${code.slice(end + 4)}`;
}

async function build() {
  const nameCache = {};
  const done = [];
  for (const { name, files = [`features/${name}`], feature = name, requires = [], config = [], help } of fragments) {
    const { code } = await minify(files.map((file) => plain(file, feature)).join(''), {
      ecma: 2020,
      nameCache,
      compress: { passes: 3, unsafe_arrows: true, toplevel: false, keep_infinity: true },
      mangle: { toplevel: true, reserved: ['$'], properties: { regex: /^_/ } },
      format: { ecma: 2020 },
    });
    done.push({ name, code, requires, config, help });
  }
  const build = createHash('sha256').update(JSON.stringify([done, presets])).digest('hex').slice(0, 12);
  return `${JSON.stringify({ build, fragments: done, presets }, null, 1)}\n`;
}

const made = await build();
if (process.argv.includes('--check')) {
  if (readFileSync(at('dist/tracker.json'), 'utf8') !== made) {
    console.error('snippet/dist/tracker.json is stale: run `npm run build`');
    process.exit(1);
  }
} else writeFileSync(at('dist/tracker.json'), made);
