// Partytown, which runs scripts in a worker: others' scripts there may call the tracker, and the tracker may live there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, until, visitor } from '../tools/testing.mjs';

const lib = new URL('../node_modules/@qwik.dev/partytown/lib/', import.meta.url);
const inline = readFileSync(new URL('partytown.js', lib), 'utf8');
const stub =
  'window.headwater=window.headwater||function(){var a=arguments;return new Promise(function(r){headwater.q.push([Date.now(),a,r])})};headwater.q=headwater.q||[]';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const files = (path) => path.startsWith('/~partytown/') && readFileSync(new URL(path.slice(12), lib));

test('a script in Partytown’s worker calls the tracker on the page', async (t) => {
  const { server } = await visitor(t, browser, {
    files,
    html: `<script>${stub};partytown={mainWindowAccessors:['headwater']}</script><script async src="/s/web.js"></script><script>${inline}</script>
      <script type="text/partytown">window.headwater('track', 'From the worker', {plan: 'pro'})</script>`,
  });
  const event = await until(() => server.events().find(({ event }) => event === 'From the worker'), 'the event');
  assert.deepEqual(event.properties, { plan: 'pro' });
});

for (const chosen of ['lite', 'core'])
  test(`${chosen} runs inside Partytown’s worker: views, and calls that the page forwards`, async (t) => {
    const { server, page } = await visitor(t, browser, {
      files,
      chosen,
      html: `<script>partytown={forward:['headwater']}</script><script>${inline}</script><script type="text/partytown">${stub}</script><script type="text/partytown" src="/s/web.js"></script>`,
    });
    await until(() => server.events().length, 'the view');
    assert.equal(server.events()[0].context.page.url, `${server.origin}/one`);
    await page.evaluate(() => void headwater('track', 'From the page'));
    await until(() => server.events().some(({ event }) => event === 'From the page'), 'the event');
  });
