// Makes dist/tracker.json: every fragment minified apart with one shared name cache, so that any choice of them
// can be joined without a minifier at hand. `--check` fails when the committed file is not what the sources give.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { minify } from 'terser';
import { fragments, presets, settings } from '../src/manifest.mjs';

const at = (path) => new URL(`../${path}`, import.meta.url);

/** Short names in one fixed order, tried out: alike code then compresses alike, whatever letters a fragment uses. */
const letters = 'eogtdbfmnhpLrIqvuwHRaTOzWNyxsiKQMjclZFPESJUAkGXCVBY_D';
const nth_identifier = {
  get(n) {
    let name = letters[n % letters.length];
    for (n = Math.floor(n / letters.length); n > 0; n = Math.floor(n / letters.length))
      name += letters[--n % letters.length];
    return name;
  },
};

/** A module's code without its import and export lines, and the names it imports. */
function plain(file, feature, sliced, sure) {
  const source = readFileSync(at(`src/${file}.ts`), 'utf8');
  const { code: typed } = transformSync(source, {
    loader: 'ts',
    target: 'es2021',
    format: 'esm',
  });
  // Settings are the literal that the template passes in as `$`.
  const imported = [...typed.matchAll(/^import \{([^}]*)\}/gm)].flatMap(([, names]) =>
    names.split(',').map((name) => name.trim()),
  );
  let code = typed
    .replace(/^import .*;\n/gm, '')
    .replace(/^export \{[^}]*\};\n/gm, '')
    .replace(/\bconst\b/g, 'let') // one word where two would do compresses better
    .replace(/(?<![\w$'"]|[^.]\.)config\b(?!:)/g, '$$');
  // A feature runs when the tracker begins: `const clicks = () => {…}` becomes `guard(() => {…})`.
  const head = `let ${feature} = () => {\n`;
  if (
    new RegExp(`^export \\{[^}]*\\b${feature}\\b`, 'm').test(typed) &&
    file === `features/${feature}` &&
    !code.includes(head)
  )
    throw new Error(`${file}: \`${feature}\` must be an arrow function with a body in braces`);
  if (code.includes(head)) {
    const start = code.indexOf(head);
    const end = code.indexOf('\n};\n', start);
    const body = code.slice(start + head.length, end);
    code = `${code.slice(0, start)}${sliced ? 'await pause();\n' : ''}${sure ? `{\n${body}\n}` : `guard(() => {\n${body}\n});`}\n${code.slice(end + 4)}`;
  }
  return { code, imported: sliced ? [...imported, 'pause'] : imported };
}

async function build() {
  const nameCache = {};
  const sources = fragments.map(({ name, files = [`features/${name}`], feature = name, requires, sure }) =>
    files.map((file) => plain(file, feature, requires.includes('slices'), sure)),
  );
  // The shared cache knows a top-level name once: two fragments must not both declare it.
  const owner = {};
  for (const [index, { name }] of fragments.entries())
    for (const [, declared] of sources[index]
      .map(({ code }) => code)
      .join('')
      .matchAll(/^(?:const|let) (\w+)/gm)) {
      if (owner[declared] && ![name, owner[declared]].includes('lite'))
        throw new Error(`${owner[declared]} and ${name} both declare ${declared}`);
      owner[declared] = name;
    }
  const done = [];
  // What a fragment requires is minified before it, so that its names are known; the joining keeps its own order.
  const inOrder = [];
  const visit = (fragment) => {
    if (inOrder.includes(fragment)) return;
    for (const name of fragment.requires) if (name !== 'boot') visit(fragments.find((other) => other.name === name));
    inOrder.push(fragment);
  };
  // The smaller presets come first, so that they have the shortest names.
  const names = fragments.map(({ name }) => name).sort();
  for (const name of [...presets.typical, ...names]) visit(fragments.find((other) => other.name === name));
  for (const fragment of inOrder) {
    const { name, requires, instead, config = [], rare, sets, help } = fragment;
    const index = fragments.indexOf(fragment);
    // What other fragments use must stay; all else in a fragment is its own business and the minifier's.
    const shared = sources.flatMap((files, other) =>
      other === index ? [] : files.flatMap(({ imported }) => imported),
    );
    const joined = sources[index].map((file) => file.code).join('');
    const exported = shared.filter(
      (name, at) => shared.indexOf(name) === at && new RegExp(`^(const|let) ${name} =`, 'm').test(joined),
    );
    const short = async (joined, global_defs) => {
      const { code } = await minify(`${joined}export { ${exported} };`, {
        ecma: 2020,
        nameCache,
        module: true,
        compress: { passes: 3, unsafe_arrows: true, unsafe_methods: true, keep_infinity: true, global_defs },
        mangle: { nth_identifier, reserved: ['$'], properties: { regex: /^_[a-z]/, nth_identifier } },
        format: { ecma: 2020 },
      });
      // Nothing here is compared with what `==` would take for something else.
      return code.replace(/export ?\{[^}]*\};$/, '').replace(/([!=]=)=/g, '$1');
    };
    done[index] = { name, code: await short(joined), requires, instead, config, rare, sets, help };
    if (!rare) continue;
    const unset = Object.fromEntries(rare.map((key) => ['$.' + key, undefined]));
    done[index].plain = await short(joined.replace('...$', ''), unset);
  }
  const build = createHash('sha256')
    .update(JSON.stringify([done, presets, settings]))
    .digest('hex')
    .slice(0, 12);
  return `${JSON.stringify({ build, fragments: done, presets, settings }, null, 1)}\n`;
}

const made = await build();
if (process.argv.includes('--check')) {
  if (readFileSync(at('dist/tracker.json'), 'utf8') !== made) {
    console.error('snippet/dist/tracker.json is stale: run `npm run build`');
    process.exit(1);
  }
} else writeFileSync(at('dist/tracker.json'), made);
