// The page comes first: nothing holds up its scrolling, and nothing asks for its layout while it is being made.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asset } from '../tools/compose.mjs';
import { launch, until, visitor } from '../tools/testing.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Write down every listener, and everything that makes a browser lay the page out at once to answer. */
const spy = () => {
  window.heard = [];
  window.measured = [];
  const { addEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, handler, options) {
    window.heard.push([type, Boolean(options?.passive)]);
    return addEventListener.call(this, type, handler, options);
  };
  const watch = (owner, name) => {
    const found = Object.getOwnPropertyDescriptor(owner, name);
    const kind = found.get ? 'get' : 'value';
    const real = found[kind];
    found[kind] = function (...args) {
      window.measured.push(name);
      return real.apply(this, args);
    };
    Object.defineProperty(owner, name, found);
  };
  const sides = ['Top', 'Left', 'Width', 'Height'];
  for (const side of sides) watch(HTMLElement.prototype, `offset${side}`);
  for (const side of sides) for (const box of ['client', 'scroll']) watch(Element.prototype, box + side);
  for (const name of ['getBoundingClientRect', 'getClientRects']) watch(Element.prototype, name);
  for (const name of [
    'innerWidth',
    'innerHeight',
    'scrollX',
    'scrollY',
    'pageXOffset',
    'pageYOffset',
    'getComputedStyle',
  ])
    watch(window, name);
  for (const name of ['innerText', 'outerText']) watch(HTMLElement.prototype, name);
  watch(Document.prototype, 'elementFromPoint');
};

const everything = asset()
  .fragments.map(({ name }) => name)
  .filter((name) => !['lite', 'direct'].includes(name) && !name.startsWith('consent'));

test('with every feature, no listener can hold up scrolling, and the start reads no layout', async (t) => {
  const { page, server } = await visitor(t, browser, {
    chosen: everything,
    config: { sample: 1 },
    body: '<form><input></form><video></video><a href="/two" data-hw-event="Two">Two</a>',
    init: spy,
  });
  await until(() => server.events().length, 'the view');
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
  const { heard, measured } = await page.evaluate(() => ({ heard: window.heard, measured: window.measured }));

  assert.ok(heard.some(([type]) => type === 'scroll')); // which nobody can cancel
  assert.deepEqual(
    heard.filter(([type, passive]) => /^(touch|(mouse)?wheel)/.test(type) && !passive),
    [],
  );
  assert.deepEqual(measured, []);
  // The spy sees what it is there for.
  await page.evaluate(() => document.body.clientWidth + innerHeight);
  assert.deepEqual(await page.evaluate(() => window.measured), ['clientWidth', 'innerHeight']);
});
