// Web vitals beside the package of that name, on pages that paint late, shift and answer slowly, one of them restored.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, snippet, until, visitor } from '../tools/testing.mjs';

const theirs = readFileSync(new URL('../node_modules/web-vitals/dist/web-vitals.iife.js', import.meta.url), 'utf8');

let browser;
before(async () => {
  browser = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
});
after(() => browser.close());

/** Keep the last value of each metric, for the page and each time that it is restored. */
const keep = () => {
  const values = [];
  for (const name of ['TTFB', 'FCP', 'LCP', 'CLS', 'INP'])
    webVitals[`on${name}`](({ value, navigationType }) => {
      const at = +(navigationType === 'back-forward-cache');
      localStorage[`theirs${location.pathname}`] = JSON.stringify(
        Object.assign(values, { [at]: { ...values[at], [name.toLowerCase()]: value } }),
      );
    });
};

const body = `<p>text</p><button>slow</button><script>
  const shift = (height) => document.body.prepend(Object.assign(document.createElement('div'), { style: 'height:' + height }));
  setTimeout(() => document.body.prepend(Object.assign(document.createElement('h1'), { textContent: 'Larger '.repeat(60) })), 200);
  setTimeout(shift, 300, '200px');
  setTimeout(shift, 1500, '100px'); // more than a second later: a window of its own
  document.querySelector('button').onclick = ({ target }) => {
    for (const end = performance.now() + 120; performance.now() < end; ) target.title += 1;
    target.textContent = target.title.length;
  };
</script>`;

test('what is told of a page, and of its return from memory, is what the package web-vitals tells', async (t) => {
  const { server, page } = await visitor(t, browser, {
    chosen: ['spa', 'vitals', 'queue'],
    html: `${snippet()}<script>${theirs};(${keep})()</script>`,
    body,
  });
  const told = () => server.events().flatMap(({ event, properties }) => (event === 'Web Vitals' ? [properties] : []));
  const painted = () =>
    page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 99)))),
    );
  await page.waitForTimeout(1700);
  await page.click('button');
  await painted();
  await page.goto(`${server.origin}/two`);
  await until(() => told().length === 1, 'the first page');
  await page.evaluate(() => void setTimeout(() => history.back()));
  await until(
    () => page.url().endsWith('/one') && page.evaluate(() => document.querySelector('button').title),
    'the return',
  );
  await painted();
  await page.evaluate(() => shift('150px'));
  await painted();
  await page.goto(`${server.origin}/three`);
  const again = await until(() => told().find(({ ttfb }) => ttfb === undefined), 'the page that was restored');

  const [first, restored] = JSON.parse(await page.evaluate(() => localStorage['theirs/one']));
  // The browser tells of a slow answer at the last moment, and on a busy machine not to everybody in time.
  const { inp = first.inp, ...ours } = told()[0];
  const { inp: slowest = inp, cls, ...times } = first;
  const rounded = Object.entries(times).map(([name, value]) => [name, Math.round(value)]);
  assert.deepEqual({ ...ours, inp }, { ...Object.fromEntries(rounded), cls, inp: slowest });
  assert.equal(again.cls, restored.cls);
  assert.ok(again.fcp > 0 && again.lcp > 0);
});
