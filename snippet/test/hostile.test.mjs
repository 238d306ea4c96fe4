// Hostile surroundings: whatever stands in attributes, storage, addresses, cookies and answers, no prototype changes, no
// text becomes program, and the view is counted.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { asset } from '../tools/compose.mjs';
import { launch, snippet, until, visitor } from '../tools/testing.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const everything = asset()
  .fragments.map(({ name }) => name)
  .filter((name) => !['lite', 'direct', 'sampling', 'token'].includes(name) && !name.startsWith('consent'));
const config = { sample: 1, privacy: 'cookie', domains: ['127.0.0.1'], search: 'q|__proto__' };

const EVIL = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';

/** Remember what every prototype has, before the tracker comes. */
const remember = () => {
  const owners = [Object, Array, Function, String, Promise, Map, Event, Element, Storage, Response, URL];
  const seen = () =>
    JSON.stringify(owners.map(({ name, prototype }) => [name, Reflect.ownKeys(prototype).map(String).sort()]));
  window.before = seen();
  window.polluted = () => before !== seen() || 'polluted' in {} || 'polluted' in [] || 'polluted' in Function;
  window.pwned = () => (window.ran = true);
};

/** A page on which everything that the tracker reads is hostile; `stored` is put into localStorage before it starts. */
const hostile = (t, { stored = {}, path = '/one', ...options } = {}) =>
  visitor(t, browser, {
    chosen: everything,
    config,
    path,
    init: `(${remember})(); for (const [key, value] of Object.entries(${JSON.stringify(stored)})) localStorage[key.replace('@', 'hw:' + location.origin + '/e/web:')] = value`,
    ...options,
  });

const unharmed = async (page) => {
  assert.equal(await page.evaluate(() => polluted()), false);
  assert.equal(await page.evaluate(() => window.ran), undefined);
};

describe('in hostile surroundings', { concurrency: 3 }, () => {
  test('attributes of the script and of elements are only text', async (t) => {
    const names = ['__proto__', 'constructor', 'prototype', 'to-string', 'has-own-property', '__proto__[polluted]'];
    const all = (prefix) => names.map((name) => `${prefix}${name}="x"`).join(' ');
    const html = snippet().replace('<script async', `<script async data-user="${'</script>'}" ${all('data-')}`);
    const body = `<button data-hw-event="__proto__" ${all('data-hw-prop-')}>b</button>
    <i class="hw-event--__proto__ hw-prop-__proto__--polluted hw-prop-constructor--x">i</i>
    <form name="__proto__" id="constructor"><input name="__proto__"><input name="constructor"></form>`;
    const { page, server } = await hostile(t, { html, body });
    await page.click('button');
    await page.click('i');
    await until(() => server.events().filter(({ event }) => event === '__proto__').length === 2, 'both clicks');
    const [view] = server.events();
    assert.equal(view.userId, '</script>');
    assert.equal(view.properties.constructor, 'x');
    await unharmed(page);
  });

  const JUNK = [
    '',
    'x',
    'null',
    '0',
    '"text"',
    '[]',
    '{}',
    '[null]',
    '[0]',
    '[0,null]',
    '[0,0]',
    '[0,[null]]',
    '[0,[{}]]',
  ];

  for (const junk of ['x', 'null', '0', '{}'])
    test(`junk such as ${junk} in storage stops neither views nor what a page before has left`, async (t) => {
      const left = JSON.stringify([0, [{ batch: [{ type: 'track', event: 'Left' }], batchId: 'b' }]]);
      const names = ['session', 'campaign', 'dice', 'consent', 'optout', 'cart', 'seen'];
      const stored = Object.fromEntries([
        ...names.map((name) => ['hw:' + name, junk]),
        ...JUNK.map((other, index) => [`@${index}`, other]),
        ['@last', left],
      ]);
      const answer = ({ batch }) => (batch ? { headers: { 'X-Headwater-Interval': '50' } } : { status: 400 });
      const { page, server } = await hostile(t, { stored, answer });
      await until(() => server.events().some(({ type }) => type === 'page'), 'the view');
      await until(() => server.events().some(({ event }) => event === 'Left'), 'what was left');
      await unharmed(page);
    });

  test('what storage holds is data, also when it is shaped to be more', async (t) => {
    const stored = {
      'hw:campaign': `[1e16,${EVIL}]`,
      '@1': `[0,[${EVIL}]]`,
      '@2': `[0,[{"batch":[${EVIL}],"__proto__":{"polluted":1}}]]`,
      '@3': '{"__proto__":[0,[]]}',
    };
    const answer = ({ batch }) => (batch?.every(({ type }) => type) ? {} : { status: 400 });
    const { page, server } = await hostile(t, { stored, answer });
    await until(() => server.events().some(({ type }) => type === 'page'), 'the view');
    await unharmed(page);
  });

  test('addresses and cookies are only text', async (t) => {
    const query =
      '?__proto__[polluted]=1&__proto__.polluted=1&constructor[prototype][polluted]=1&utm___proto__=1&utm_source=__proto__' +
      '&__proto__clid=1&hw-debug&hw_x=__proto__.1&q=%3C/script%3E%3Cscript%3Epwned()%3C/script%3E';
    const path = `/%3Cscript%3Epwned()%3C%2Fscript%3E${query}#%3Cimg%20src=x%20onerror=pwned()%3E`;
    const init = `(${remember})(); document.cookie = 'hw_id=__proto__'`;
    const { page, server } = await hostile(t, { path, init });
    await until(() => server.events().some(({ type }) => type === 'page'), 'the view');
    const [view] = server.events();
    assert.ok(decodeURIComponent(view.context.page.url).includes(decodeURIComponent(path.split('&hw-debug')[0])));
    assert.equal(view.anonymousId, '__proto__');
    assert.equal(view.context.campaign.source, '__proto__');
    await unharmed(page);
  });

  test('calls with hostile names and values change nothing', async (t) => {
    const { page, server } = await hostile(t, { complaints: [] });
    await page.evaluate((evil) => {
      const value = JSON.parse(evil);
      for (const name of [
        '__proto__',
        'constructor',
        'toString',
        'hasOwnProperty',
        'valueOf',
        'q',
        '',
        'x'.repeat(1e6),
      ])
        headwater(name, value, value);
      for (const method of ['track', 'page', 'identify', 'group', 'alias', 'set'])
        headwater(method, '__proto__', value);
      headwater.set(value);
      headwater('track', 'Last', { long: '\u2028</script>'.repeat(1e5) });
    }, EVIL);
    const found = await until(() => server.events().find(({ event }) => event === 'Last'), 'the last event');
    assert.ok(found.properties.long === '\u2028</script>'.repeat(1e5));
    await unharmed(page);
  });

  const ANSWERS = [
    { headers: { 'X-Headwater-Interval': '__proto__' } },
    { headers: { 'X-Headwater-Interval': '-1e9', 'X-Headwater-Reason': '</script>' } },
    { headers: { 'X-Headwater-Interval': '50' }, status: 200, body: EVIL },
    { headers: { 'X-Headwater-Interval': '50' }, status: 200, body: '<script>pwned()</script>' },
  ];

  test('answers of the collector are only numbers and text', async (t) => {
    const { page, server } = await hostile(t, { path: '/one?hw-debug' });
    for (const [index, answer] of ANSWERS.entries()) {
      server.answer = () => answer;
      await page.evaluate((name) => void headwater('track', name), `Event ${index}`);
      await until(() => server.events().some(({ event }) => event === `Event ${index}`), `event ${index}`);
    }
    await unharmed(page);
  });
});
