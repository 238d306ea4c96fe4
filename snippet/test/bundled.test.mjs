// The package in a site's own bundle: plain, and in React with its double mounting in development.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildSync } from 'esbuild';
import { asset } from '../tools/compose.mjs';
import { launch, until, visitor } from '../tools/testing.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const bundle = (contents) =>
  buildSync({
    stdin: { contents, loader: 'jsx', resolveDir: new URL('.', import.meta.url).pathname },
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false,
  }).outputFiles[0].text;

/** A page whose only script is a module that holds the bundle. */
const visit = (t, contents) =>
  visitor(t, browser, {
    html: '<main></main><script type="module" src="/bundle.js"></script>',
    files: (path) => path === '/bundle.js' && bundle(contents),
  });

test('calls before start wait for it and keep their times; features run; one view', async (t) => {
  const { server, page } = await visit(
    t,
    `import { ending, engaged, forms, leaving, links, queue, set, spa, start, track } from '../src/index.ts';
     set({ plan: 'pro' });
     window.said = track('Early');
     window.at = Date.now();
     setTimeout(() => {
       start({ endpoint: '/e/web' }, [spa, links, forms, leaving, engaged, ending, queue]);
       start({ endpoint: '/e/twice' }, [queue]);
     }, 50);`,
  );
  assert.equal(await page.evaluate(async () => (await window.said).status), 204);
  await until(() => server.events().length === 2, 'the event and the view');
  assert.deepEqual(
    server.events().map(({ type, properties }) => [type, properties]),
    [
      ['track', { plan: 'pro' }],
      ['page', { plan: 'pro' }],
    ],
  );
  const [early, view] = server.events().map((event) => event.originalTimestamp);
  const at = await page.evaluate(() => window.at);
  assert.ok(early <= at && at < view);
});

test('React: strict mode mounts twice and counts once', async (t) => {
  const { server, page } = await visit(
    t,
    `import { StrictMode } from 'react';
     import { createRoot } from 'react-dom/client';
     import { queue, spa } from '../src/index.ts';
     import { useHeadwater } from '../src/react.ts';
     const features = [spa, queue];
     const App = () => {
       const { track } = useHeadwater({ endpoint: '/e/web' }, features);
       return <button onClick={() => track('Bought')}>Buy</button>;
     };
     createRoot(document.querySelector('main')).render(<StrictMode><App /></StrictMode>);`,
  );
  await page.click('button');
  await until(() => server.events().length === 2, 'the view and the event');
  assert.deepEqual(
    server.events().map(({ event, type }) => event ?? type),
    ['page', 'Bought'],
  );
});

test('every feature of the served file is in the package but what reads its tag, and every call that they bring', async (t) => {
  const words = asset().fragments.map(({ name }) => name);
  const helpers = 'base slices track ids store resume press cookie alive attributes token lite boot'.split(' ');
  const names = words
    .filter((name) => !helpers.includes(name))
    .map((name) => (name === 'consent' ? 'consentFeature' : name));
  const { page, server } = await visit(
    t,
    `import * as all from '../src/index.ts';
     window.missing = ${JSON.stringify(names)}.filter((name) => typeof all[name] !== 'function');
     all.start({ endpoint: '/e/web' }, [all.consentFeature, all.privacy, all.spa, all.ecommerce, all.queue]);
     all.optOut(); all.track('Out'); all.optIn(); all.consent('grant');
     all.shop('add_to_cart', { value: 5 });
     for (const _ of 'ab') all.shop('purchase', { transaction_id: 'T1' });`,
  );
  await until(() => server.events().length > 2, 'the view and the shopping');
  assert.deepEqual(await page.evaluate(() => window.missing), []);
  assert.deepEqual(
    server.events().map(({ event, type }) => event ?? type),
    ['add_to_cart', 'purchase', 'page'],
  );
});
