// What each feature says on the wire, in a real Chromium, with the file composed as it is served.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asset, compose } from '../tools/compose.mjs';
import { launch, until, visitor } from '../tools/testing.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Features, settings, what is on the page, what the visitor does, and what must arrive. */
const table = [
  ['links', {}, '<a id=x href="http://localhost:1/a.html">out</a>', 'press', { event: 'Outbound Link', properties: { url: 'http://localhost:1/a.html' } }],
  ['links', {}, '<a id=x href="/a.pdf">file</a>', 'press', { event: 'Download' }],
  ['tagged', {}, '<button id=x data-hw-event="Signed up" data-hw-prop-plan="pro">go</button>', 'press', { event: 'Signed up', properties: { plan: 'pro' } }],
  ['tagged', {}, '<form id=f data-hw-event="Asked"><button id=x>go</button></form>', 'press', { event: 'Asked' }],
  ['classes', {}, '<button id=x class="big hw-event--Signed+up hw-prop-plan--pro">go</button>', 'press', { event: 'Signed up', properties: { plan: 'pro' } }],
  ['autocapture', {}, '<div id=menu><button id=x1 class=buy>Call 030 1234567</button></div>', '#x1', { event: 'Click', properties: { selector: '#menu>button.buy', text: 'Call *' } }],
  ['rage', {}, '<button id=x>dead</button>', async (page) => { for (let n = 0; n < 3; n++) await page.click('#x'); }, { event: 'Rage Click', properties: { selector: '#x' } }],
  ['rage', {}, '<button id=x>dead</button>', 'press', { event: 'Dead Click' }],
  ['forms', { formValues: ['topic'] }, '<form id=f name=contact><input name=topic value=help><input name=secret value=1><button id=x>go</button></form>', 'press', { event: 'Form Submitted', properties: { id: 'f', name: 'contact', topic: 'help' } }],
  ['formsteps', {}, '<form id=f><input id=i></form>', (page) => page.fill('#i', 'a'), { event: 'Form Started' }],
  ['formsteps', {}, '<form id=f><input id=i></form>', async (page) => { await page.fill('#i', 'a'); await page.evaluate(() => history.pushState(null, '', '/next')); }, { event: 'Form Abandoned' }],
  ['scroll', {}, '<div style="height:5000px"></div>', async (page) => { await page.evaluate(() => scrollTo(0, 9e9)); await page.waitForTimeout(300); await page.evaluate(() => history.pushState(null, '', '/next')); }, { event: 'Page Left', properties: { scrollDepth: 100 } }],
  ['engaged', {}, '', async (page) => { await page.waitForTimeout(600); await page.mouse.move(5, 5); await page.evaluate(() => history.pushState(null, '', '/next')); }, { event: 'Page Left' }],
  ['heartbeat', { heartbeat: 1 }, '', () => {}, { event: 'Heartbeat', properties: { seconds: 1 } }],
  ['visible', {}, '<p data-hw-visible="Prices">1</p>', () => {}, { event: 'Element Seen', properties: { element: 'Prices' } }],
  ['search', {}, '', (page) => page.evaluate(() => history.pushState(null, '', '/find?q=red+shoes')), { event: 'Search', properties: { query: 'red shoes' } }],
  ['notfound', {}, '', (page) => page.evaluate(() => { document.title = 'Page not found'; history.pushState(null, '', '/gone'); }), { event: '404' }],
  ['ecommerce', {}, '', (page) => page.evaluate(() => { headwater('purchase', { transaction_id: 'T1', value: 5 }); headwater('purchase', { transaction_id: 'T1', value: 5 }); }), { event: 'purchase', properties: { transaction_id: 'T1', value: 5 } }],
  ['errors', {}, '', (page) => page.evaluate(() => void setTimeout(() => { throw new Error('broken'); })), { event: 'Error' }, ['Error: broken']],
  ['timing', {}, '', () => {}, { event: 'Timing' }],
  ['vitals', {}, '<p>text</p>', async (page) => { await page.click('p'); await page.waitForTimeout(300); await page.evaluate(() => history.pushState(null, '', '/next')); }, { event: 'Web Vitals' }],
  ['clipboard', {}, '<p id=x>words</p>', (page) => page.evaluate(() => { getSelection().selectAllChildren(document.querySelector('#x')); document.execCommand('copy'); }), { event: 'Copy', properties: { length: 5 } }],
  ['media', {}, '<video id=v></video>', (page) => page.evaluate(() => { const v = document.querySelector('#v'); Object.defineProperty(v, 'duration', { value: 10 }); Object.defineProperty(v, 'currentTime', { value: 6 }); Object.defineProperty(v, 'currentSrc', { value: 'film.mp4' }); v.dispatchEvent(new Event('timeupdate')); }), { event: 'Media', properties: { source: 'film.mp4', percent: 50 } }],
  ['hash', {}, '', (page) => page.evaluate(() => { location.hash = '#/cart'; }), { type: 'page' }],
  ['people', {}, '', (page) => page.evaluate(() => { headwater('set', { plan: 'pro' }); headwater('group', 'g1', { size: 3 }); headwater('track', 'Bought'); }), { event: 'Bought', properties: { plan: 'pro' } }],
  ['people', {}, '', (page) => page.evaluate(() => headwater('alias', 'new', 'old')), { type: 'alias', userId: 'new', previousId: 'old' }],
];

const plain = (value) => JSON.parse(JSON.stringify(value));
for (const [feature, config, html, act, expected, complaints = []] of table)
  test(`${feature}: ${expected.event ?? expected.type}`, async (t) => {
    const { page, server } = await visitor(t, browser, { chosen: ['spa', feature, 'queue'], config, body: html, complaints });
    await until(() => server.events().length, 'the first view');
    // Nothing here may leave the page while it is watched.
    await page.evaluate(() => addEventListener('click', (event) => event.target.closest('a') && event.preventDefault()));
    await page.evaluate(() => addEventListener('submit', (event) => event.preventDefault()));
    await (act === 'press' ? page.click('#x') : typeof act === 'string' ? page.click(act) : act(page));
    const found = await until(() => server.events().slice(expected.type === 'page' ? 1 : 0).find((event) => (expected.event ? event.event === expected.event : event.type === expected.type)), JSON.stringify(expected));

    for (const [key, value] of Object.entries(expected)) {
      if (key === 'properties') for (const [name, wanted] of Object.entries(value)) assert.deepEqual(plain(found.properties[name]), wanted, name);
      else assert.equal(found[key], value);
    }
  });

test('every fragment alone, and everything: no error is swallowed, a view arrives, one global appears', async (t) => {
  const from = asset();
  const names = from.fragments.map(({ name }) => name).filter((name) => name !== 'lite');
  for (const chosen of [...names.map((name) => [name, 'queue']), ['lite'], ['spa', 'direct'], names]) {
    const { page, server, context } = await visitor(t, browser, {
      chosen,
      config: { privacy: 'cookie', domains: ['localhost'], consent: 'required', sample: 1 },
      rewrite: (code) => code.replace(/catch\{\}/g, 'catch(error){error&&(window.caught=window.caught||[]).push(chosen+error.stack)}').replace('chosen', JSON.stringify(String(chosen))),
    });
    if (chosen.includes('consent') || chosen.includes('consentsignals')) await page.evaluate(() => headwater('consent', 'grant'));
    await until(() => server.events().length, `a view with ${chosen}`);
    const seen = await page.evaluate(() => ({ caught: window.caught ?? [], globals: Object.keys(window), history: Object.keys(history) }));
    assert.deepEqual(seen.caught, [], String(chosen));
    assert.deepEqual(seen.history, []);
    assert.ok(seen.globals.includes('headwater'));
    await context.close();
  }
});

test('composition is deterministic, and every pair parses', () => {
  const from = asset();
  const names = from.fragments.map(({ name }) => name).filter((name) => name !== 'lite');
  for (const one of names)
    for (const other of names) {
      const code = compose([other, one, 'queue'], {}, from);
      assert.equal(compose(['queue', one, other], {}, from), code);
      new Function(code);
    }
});
