// The parts that need no browser, and the promises that the sources make about each other.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildSync } from 'esbuild';
import { fragments, presets, settings } from '../src/manifest.mjs';
import { asset, closure, compose, literal } from '../tools/compose.mjs';
import { sizes, weigh } from '../tools/size.mjs';
import { readme, table, page as docs } from '../tools/docs.mjs';
import { snippet } from '../tools/testing.mjs';

const here = (path) => new URL(`../${path}`, import.meta.url).pathname;
const source = (path) => readFileSync(here(`src/${path}.ts`), 'utf8');

/** A module of the sources, bundled so that node can run it. */
const load = (path) => {
  const out = join(mkdtempSync(join(tmpdir(), 'hw-')), 'module.mjs');
  buildSync({ entryPoints: [here(`src/${path}.ts`)], bundle: true, format: 'esm', outfile: out, logLevel: 'error' });
  return import(out);
};

test('ids are UUIDv7, differ, and sort by time', async () => {
  const { uuid } = await load('delivery/ids');
  const many = Array.from({ length: 1000 }, uuid);
  for (const id of many) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(many).size, 1000);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(uuid() > many.at(-1));
});

test('a cross-domain link is good for this browser and these two minutes', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1e12 });
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'one' }, configurable: true });
  const { sign } = await load('features/crossdomain');
  const made = sign('id', 0);
  t.mock.timers.tick(6e4);
  assert.equal(sign('id', 1), made);
  t.mock.timers.tick(6e4);
  assert.ok(![sign('id', 0), sign('id', 1)].includes(made));
});

test('a selector climbs to the nearest steady id', async () => {
  const { selector } = await load('features/autocapture');
  const body = { id: '', localName: 'body', classList: [] };
  const menu = { id: 'menu', localName: 'nav', classList: [], parentElement: body };
  const item = { id: 'r:42', localName: 'li', classList: ['big'], parentElement: menu };
  assert.equal(selector(item), '#menu>li.big');
  assert.equal(selector({ ...item, parentElement: body }), 'body>li.big');
});

test('importing the package touches nothing; on a server starting it does nothing, and no call waits', async () => {
  const tracker = await load('index');
  const early = tracker.track('Early');
  tracker.start({ endpoint: '/e/web' }, [tracker.spa, tracker.queue]);
  assert.deepEqual(await Promise.all([early, tracker.flush()]), [{ outcome: 'dropped' }, { outcome: 'dropped' }]);
});

test('config enters the script as data that cannot break out, in one order, without defaults', () => {
  assert.equal(literal({ b: '</script>\u2028', a: 1 }), '{"a":1,"b":"\\u003c/script>\\u2028"}');
  assert.equal(compose('core', { manual: true, consent: '' }), compose('core', { consent: '', manual: true }));
  assert.notEqual(compose('core', { manual: true }), compose('core'));
});

test('a file is the closure of what was chosen, in the order of the manifest', () => {
  assert.deepEqual(
    closure(asset(), ['queue', 'links']).map(({ name }) => name),
    ['base', 'track', 'ids', 'press', 'links', 'queue', 'boot'],
  );
  assert.deepEqual(
    closure(asset(), ['lite']).map(({ name }) => name),
    ['lite'],
  );
  assert.deepEqual(closure(asset(), ['lite', 'links']), closure(asset(), ['spa', 'direct', 'links'])); // lite stands alone
  assert.throws(() => closure(asset(), ['nothing']), /no fragment nothing/);
});

test('everything is every feature', () => {
  const others = fragments.map(({ name }) => name).filter((name) => !presets.everything.includes(name));
  assert.deepEqual(others.sort(), ['direct', 'lite', 'token']);
});

test('presets and the snippet keep to their limits', () => {
  const { sizes: limits } = JSON.parse(readFileSync(here('package.json'), 'utf8'));
  for (const [name, { brotli }] of Object.entries(sizes().presets))
    assert.ok(brotli <= limits[name], `${name} weighs ${brotli}, limit ${limits[name]}`);
  const pasted = snippet({ src: 'https://collect.example.com/s/web1.js' });
  assert.ok(weigh(pasted).raw <= limits.snippet, `the snippet weighs ${weigh(pasted).raw}`);
});

test('every setting that the sources read is in the manifest, with its fragment, and the other way round', () => {
  const typed = [...source('settings').matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name).sort();
  assert.deepEqual(Object.keys(settings), typed);
  for (const { name, files = [`features/${name}`], config = [] } of fragments) {
    const read = new Set(
      files.flatMap((file) =>
        [...source(file).matchAll(/(?:config|\$)\.(\w+)(?!\w*\.ts)|\.\.\.config, \/\/.*`(\w+)`$/gm)]
          .map(([, key, spread]) => key ?? spread)
          .filter((key) => key in settings),
      ),
    );
    assert.deepEqual([...config].sort(), [...read].sort(), name);
  }
});

test('the version is the package’s', () => {
  assert.ok(source('core/version').includes(`'${JSON.parse(readFileSync(here('package.json'), 'utf8')).version}'`));
});

test('no fragment evaluates text, writes to the document or speaks to the console', () => {
  for (const { name, code } of asset().fragments)
    assert.doesNotMatch(code, /\beval\(|new Function|document\.write|innerHTML|console\.|\bunload\b/, name);
});

test('files stay small', () => {
  for (const folder of ['core', 'delivery', 'features', 'served'])
    for (const file of readdirSync(here(`src/${folder}`))) {
      const lines = source(`${folder}/${file.replace('.ts', '')}`).split('\n').length;
      assert.ok(lines < 200, `${file} has ${lines} lines`);
    }
});

test('the tables in docs/tracker.md and the number in README.md are fresh', () => {
  assert.equal(readFileSync(here('../README.md'), 'utf8'), readme(), 'run `npm run docs`');
  assert.ok(docs().includes(table()), 'run `npm run docs`');
});

test('the package packs, types resolve for a consumer, and unused features fall away', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hw-'));
  const [{ filename, files }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: here(''),
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    }).replace(/^[^[]*/, ''),
  );
  for (const file of ['lib/index.d.ts', 'LICENSE', 'README.md'])
    assert.ok(
      files.some(({ path }) => path === file),
      file,
    );
  execFileSync('mkdir', ['-p', join(folder, 'node_modules/@headwater/tracker')]);
  execFileSync('tar', [
    'xzf',
    join(folder, filename),
    '-C',
    join(folder, 'node_modules/@headwater/tracker'),
    '--strip-components=1',
  ]);
  writeFileSync(
    join(folder, 'site.ts'),
    "import { links, queue, spa, start, track } from '@headwater/tracker';\nstart({ endpoint: '/e/web' }, [spa, links, queue]);\nconst said: Promise<unknown> = track('Seen');\nvoid said;\n",
  );
  execFileSync(
    here('node_modules/.bin/tsc'),
    [
      '--noEmit',
      '--strict',
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
      '--target',
      'es2020',
      '--types',
      '',
      'site.ts',
    ],
    { cwd: folder, stdio: 'inherit' },
  );
  const [{ text }] = buildSync({
    entryPoints: [join(folder, 'site.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  }).outputFiles;
  assert.ok(weigh(text).brotli < 2600, `${weigh(text).brotli}`);
  assert.doesNotMatch(text, /Rage|Web Vitals|youtube/);
});

test('the Tag Manager template is well formed, may do what it does: load the tracker and record the event', () => {
  const parts = readFileSync(here('gtm/template.tpl'), 'utf8').split(/^___(\w+)___$/m);
  const part = (name) => parts[parts.indexOf(name) + 1];
  for (const name of ['INFO', 'TEMPLATE_PARAMETERS', 'WEB_PERMISSIONS']) JSON.parse(part(name));
  const allowed = Object.fromEntries(
    JSON.parse(part('WEB_PERMISSIONS')).map(({ instance: { key, param } }) => [key.publicId, param[0].value.listItem]),
  );
  const rights = ({ mapKey, mapValue }) => mapKey.map(({ string }, at) => [string, mapValue[at]]);
  const calls = [];
  const tools = {
    callInWindow: (...args) => {
      const keys = allowed.access_globals.map((item) => Object.fromEntries(rights(item)));
      assert.ok(keys.some(({ key, execute }) => key.string === args[0] && execute.boolean));
      calls.push(args);
    },
    injectScript: (src, loaded) => {
      assert.ok(allowed.inject_script.some(({ string }) => src.startsWith(string.replace('*', ''))));
      calls.push(src);
      loaded();
    },
    makeTableMap: (rows, key, value) => Object.fromEntries(rows.map((row) => [row[key], row[value]])),
  };
  const data = {
    src: 'https://collect.example.com/s/web1.js',
    event: 'Signed up',
    properties: [{ key: 'plan', value: 'pro' }],
    gtmOnSuccess: () => calls.push('done'),
  };
  new Function('require', 'data', part('SANDBOXED_JS_FOR_WEB_TEMPLATE'))((name) => tools[name], data);
  assert.deepEqual(calls, [data.src, ['headwater', 'track', 'Signed up', { plan: 'pro' }], 'done']);
});
