// The composed files as served, in a real Chromium.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { collector, until } from '../tools/testing.mjs';

const args = ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
});
after(() => browser.close());

/** A collector, a fresh visitor and what the page complained about. */
async function visit(t, options) {
  const server = await collector(options);
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  t.after(async () => {
    await context.close();
    server.close();
    assert.deepEqual(errors, []);
  });
  await page.goto(`${server.origin}/one`);
  return { server, context, page, names: () => server.events().map(({ type, event, name }) => event ?? name ?? type) };
}

for (const chosen of ['lite', 'core'])
  test(`${chosen}: a view, an event called before load, single-page navigation`, async (t) => {
    const { server, page } = await visit(t, { chosen });
    await until(() => server.events().length === 1, 'the first view');
    assert.equal(server.batches[0].context.page.url, `${server.origin}/one`);
    await page.evaluate(() => {
      headwater('track', 'Signed up', { plan: 'pro' });
      history.pushState(null, '', '/two?a=1');
      document.title = 'Two';
    });
    await until(() => server.events().length === 3, 'event and second view');
    const view = server.batches.flatMap(({ batch, context }) => batch.map((event) => ({ ...event, context: { ...context, ...event.context } }))).at(-1);
    assert.deepEqual(view.context.page, { url: `${server.origin}/two?a=1`, referrer: `${server.origin}/one`, title: 'Two' });
    await page.goBack();
    await until(() => server.events().length === 4, 'the view of going back');
  });

test('core: an event before navigation, and a server that is away at first', async (t) => {
  let failures = 2;
  const { server, page, names } = await visit(t, { answer: () => (failures-- > 0 ? { status: 503 } : {}) });
  await until(() => server.events().length, 'the view after two failures');
  await page.evaluate(() => {
    headwater.track('Leaving');
    location.href = '/two';
  });
  await until(() => names().includes('Leaving'), 'the event sent while leaving');
});

test('links: outbound', async (t) => {
  const { server, page, names } = await visit(t, { chosen: ['spa', 'links', 'queue'] });
  await until(() => server.events().length === 1, 'the view');
  await page.evaluate(() => document.querySelector('#out').addEventListener('click', (event) => event.preventDefault()));
  await page.click('#out');
  await until(() => names().includes('Outbound Link Clicked'), 'the click');
});
