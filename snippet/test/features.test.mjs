// What each feature says on the wire, in a real Chromium, with the file composed as it is served.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { asset, compose } from '../tools/compose.mjs';
import { launch, until, visitor } from '../tools/testing.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Features, settings, what is on the page, what the visitor does, and what must arrive. */
const table = [
  [
    'links',
    {},
    '<a id=x href="http://localhost:1/a.html">out</a>',
    'press',
    { event: 'Outbound Link', properties: { url: 'http://localhost:1/a.html' } },
  ],
  ['links', {}, '<a id=x href="/a.pdf">file</a>', 'press', { event: 'Download' }],
  [
    'tagged',
    {},
    '<button id=x data-hw-event="Signed up" data-hw-prop-plan="pro">go</button>',
    'press',
    { event: 'Signed up', properties: { plan: 'pro' } },
  ],
  ['tagged', {}, '<form id=f data-hw-event="Asked"><button id=x>go</button></form>', 'press', { event: 'Asked' }],
  [
    'classes',
    {},
    '<button id=x class="big hw-event--Signed+up hw-prop-plan--pro">go</button>',
    'press',
    { event: 'Signed up', properties: { plan: 'pro' } },
  ],
  [
    'autocapture',
    {},
    '<div id=menu><button id=x1 class=buy>Call 030 1234567</button></div>',
    '#x1',
    { event: 'Click', properties: { selector: '#menu>button.buy', text: 'Call *' } },
  ],
  [
    'rage',
    {},
    '<button id=x>dead</button>',
    (page) => page.click('#x', { clickCount: 3 }),
    { event: 'Rage Click', properties: { selector: '#x' } },
  ],
  ['rage', {}, '<button id=x>dead</button>', 'press', { event: 'Dead Click' }],
  [
    'forms',
    { formValues: ['topic'] },
    '<form id=f name=contact><input name=topic value=help><input name=secret value=1><button id=x>go</button></form>',
    'press',
    { event: 'Form Submitted', properties: { id: 'f', name: 'contact', topic: 'help' } },
  ],
  ['formsteps', {}, '<form id=f><input id=i></form>', (page) => page.fill('#i', 'a'), { event: 'Form Started' }],
  [
    'formsteps',
    {},
    '<form id=f><input id=i></form>',
    async (page) => {
      await page.fill('#i', 'a');
      await page.evaluate(() => history.pushState(null, '', '/next'));
    },
    { event: 'Form Abandoned' },
  ],
  [
    'scroll',
    {},
    '<div style="height:5000px"></div>',
    async (page) => {
      await page.evaluate(() => scrollTo(0, 9e9));
      await page.waitForTimeout(300);
      await page.evaluate(() => history.pushState(null, '', '/next'));
    },
    { event: 'Page Left', properties: { scrollDepth: 100 } },
  ],
  [
    'engaged',
    {},
    '',
    async (page) => {
      await page.waitForTimeout(600);
      await page.mouse.move(5, 5);
      await page.evaluate(() => history.pushState(null, '', '/next'));
    },
    { event: 'Page Left' },
  ],
  ['heartbeat', { heartbeat: 1 }, '', () => {}, { event: 'Heartbeat', properties: { seconds: 1 } }],
  [
    'visible',
    {},
    '<p data-hw-visible="Prices">1</p>',
    () => {},
    { event: 'Element Seen', properties: { element: 'Prices' } },
  ],
  [
    'search',
    {},
    '',
    (page) => page.evaluate(() => history.pushState(null, '', '/find?q=red+shoes')),
    { event: 'Search', properties: { query: 'red shoes' } },
  ],
  [
    'notfound',
    {},
    '',
    (page) =>
      page.evaluate(() => {
        document.title = 'Page not found';
        history.pushState(null, '', '/gone');
      }),
    { event: '404' },
  ],
  [
    'ecommerce',
    {},
    '',
    (page) =>
      page.evaluate(() => {
        headwater('purchase', { transaction_id: 'T1', value: 5 });
        headwater('purchase', { transaction_id: 'T1', value: 5 });
      }),
    { event: 'purchase', properties: { transaction_id: 'T1', value: 5 } },
  ],
  [
    'errors',
    {},
    '',
    (page) =>
      page.evaluate(
        () =>
          void setTimeout(() => {
            throw new Error('broken');
          }),
      ),
    { event: 'Error' },
    ['Error: broken'],
  ],
  ['timing', {}, '', () => {}, { event: 'Timing' }],
  [
    'vitals',
    {},
    '<p>text</p>',
    async (page) => {
      await page.click('p');
      await page.waitForTimeout(300);
      // Not by a script: it may go into the browser's memory with its page, and never answer.
      await page.goto(new URL('/two', page.url()).href);
    },
    { event: 'Web Vitals' },
  ],
  [
    'clipboard',
    {},
    '<p id=x>words</p>',
    (page) =>
      page.evaluate(() => {
        getSelection().selectAllChildren(document.querySelector('#x'));
        document.execCommand('copy');
      }),
    { event: 'Copy', properties: { length: 5 } },
  ],
  [
    'media',
    {},
    '<video id=v></video>',
    (page) =>
      page.evaluate(() => {
        const v = document.querySelector('#v');
        Object.defineProperty(v, 'duration', { value: 10 });
        Object.defineProperty(v, 'currentTime', { value: 6 });
        Object.defineProperty(v, 'currentSrc', { value: 'film.mp4' });
        v.dispatchEvent(new Event('timeupdate'));
      }),
    { event: 'Media', properties: { source: 'film.mp4', percent: 50 } },
  ],
  [
    'media',
    {},
    '',
    (page) =>
      page.evaluate(() => {
        const info = (video_id) => JSON.stringify({ info: { currentTime: 6, duration: 10, videoData: { video_id } } });
        const say = (origin, id) => dispatchEvent(new MessageEvent('message', { origin, data: info(id) }));
        say('https://www.youtube.com.evil.example', 'forged');
        say('https://www.youtube-nocookie.com', 'dQw4w9WgXcQ');
      }),
    { event: 'Media', properties: { source: 'dQw4w9WgXcQ', percent: 50 } },
  ],
  [
    'hash',
    {},
    '',
    (page) =>
      page.evaluate(() => {
        location.hash = '#/cart';
      }),
    { type: 'page' },
  ],
  [
    'queue',
    {},
    '',
    (page) =>
      page.evaluate(() => {
        headwater('set', { plan: 'pro' });
        headwater('group', 'g1', { size: 3 });
        headwater('track', 'Bought');
      }),
    { event: 'Bought', properties: { plan: 'pro' } },
  ],
  [
    'queue',
    {},
    '',
    (page) => page.evaluate(() => headwater('alias', 'new', 'old')),
    { type: 'alias', userId: 'new', previousId: 'old' },
  ],
];

/** Features that change what every event says: settings, the page, what the visitor does, and a look at the last view. */
const changes = [
  [
    'address',
    { clean: [['/user/\\d+', '/user/*']] },
    { path: '/user/42?a=1' },
    ({ context }) => assert.match(context.page.url, /\/user\/\*\?a=1$/),
  ],
  [
    'address',
    { canonical: true },
    { body: '<link rel=canonical href="https://example.com/real">' },
    ({ context }) => assert.equal(context.page.url, 'https://example.com/real'),
  ],
  [
    'attributes',
    {},
    {
      html: '<script src="/s/web.js" data-user="u-1" data-user-plan="pro" data-user-signed-up="2026" data-username="n" data-content-group="blog"></script>',
    },
    ({ userId, context, properties }) => {
      assert.equal(userId, 'u-1');
      assert.deepEqual(context.traits, { plan: 'pro', signedUp: '2026' });
      assert.deepEqual(properties, { username: 'n', contentGroup: 'blog' });
    },
  ],
  ['sampling', { sample: 1 }, {}, ({ context }) => assert.equal(context.sample, 1)],
  [
    'bots',
    {},
    { init: () => Object.defineProperty(navigator, 'webdriver', { value: true }) },
    ({ context }) => assert.equal(context.automation, 'webdriver'),
  ],
  [
    'hints',
    {},
    { after: (page) => page.waitForFunction(() => 1).then(() => page.evaluate(() => headwater('page'))) },
    ({ context }) => assert.ok(!context.userAgentData || context.userAgentData.platformVersion !== undefined),
  ],
  [
    'title',
    {},
    {
      after: (page) =>
        page.evaluate(() => {
          history.pushState(null, '', '/late');
          setTimeout(() => {
            document.title = 'Late';
          }, 300);
        }),
    },
    ({ context }) => assert.equal(context.page.title, 'Late'),
  ],
];
// Each has a visitor of its own, and waits for most of its time.
describe('in a browser', { concurrency: 3 }, () => {
  test('every fragment alone, and everything: no error is swallowed, a view arrives, one global appears', async (t) => {
    const from = asset();
    const names = from.fragments.map(({ name }) => name).filter((name) => name !== 'lite');
    const { page, server } = await visitor(t, browser, {
      config: { privacy: 'cookie', domains: ['localhost'], sample: 1 },
      path: '/nothing?chosen=lite',
      rewrite: (code) =>
        code.replace(/catch\{\}/g, 'catch(error){error&&(window.caught=window.caught||[]).push(error.stack)}'),
    });
    for (const chosen of [...names.map((name) => [name, 'queue']), ['lite'], ['spa', 'direct'], names]) {
      server.batches.length = 0;
      await page.goto(`${server.origin}/one?chosen=${chosen}`);
      if (/consent/.test(chosen)) await page.evaluate(() => headwater('consent', 'grant'));
      await until(() => server.events().length, `a view with ${chosen}`);
      const seen = await page.evaluate(() => ({
        caught: (window.caught ?? []).filter((error) => !/is not valid JSON/.test(error)), // nothing kept yet
        mine: Object.keys(window).includes('headwater'),
        history: Object.keys(history),
        stored: localStorage.clear(),
      }));
      assert.deepEqual(seen, { caught: [], mine: true, history: [], stored: undefined }, String(chosen));
    }
  });

  for (const [feature, config, { after: act, ...options }, check] of changes)
    test(`${feature} changes what a view says`, async (t) => {
      const { page, server } = await visitor(t, browser, { chosen: ['spa', feature, 'queue'], config, ...options });
      await until(() => server.events().length, 'the first view');
      if (act) {
        await act(page);
        await until(() => server.events().length > 1, 'the second view');
      }

      check(server.events().at(-1));
    });

  test('title: views that follow each other faster than titles change all count', async (t) => {
    const { page, server } = await visitor(t, browser, { chosen: ['spa', 'title', 'queue'] });
    await until(() => server.events().length, 'the first view');
    await page.evaluate(async () => {
      for (const path of ['/two', '/three']) {
        history.pushState(null, '', path);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      document.title = 'Three';
    });
    await until(() => server.events().length === 3, 'both views');
    const { url, title } = server.events()[2].context.page;
    assert.deepEqual([url, title], [`${server.origin}/three`, 'Three']);
  });

  test('core knows people: what was set goes with events, not with traits, until reset', async (t) => {
    const { page, server } = await visitor(t, browser, {});
    await page.evaluate(async () => {
      headwater('set', { plan: 'pro' });
      headwater('set', { seats: 3 });
      headwater('identify', 'u-1', { size: 3 });
      headwater('track', 'Bought', { plan: 'free' });
      headwater('reset');
      await new Promise((resolve) => headwater('ready', () => resolve(headwater('track', 'Ready'))));
    });
    assert.deepEqual(
      server
        .events()
        .filter(({ type }) => type !== 'page')
        .map(({ userId, properties, traits }) => ({ userId, ...properties, ...traits })),
      [{ userId: 'u-1', size: 3 }, { userId: 'u-1', plan: 'free', seats: 3 }, { userId: undefined }],
    );
  });

  test('hash: a route is a view, a place within the page is none', async (t) => {
    const { page, server } = await visitor(t, browser, { chosen: ['spa', 'hash', 'queue'] });
    await until(() => server.events().length, 'the first view');
    await page.evaluate(async () => {
      for (const hash of ['#prices', '#/cart', '#!/pay']) {
        location.hash = hash;
        await new Promise((resolve) => addEventListener('hashchange', () => setTimeout(resolve), { once: true }));
      }
      await headwater.flush();
    });
    assert.deepEqual(
      server.events().map(({ context }) => new URL(context.page.url).hash),
      ['', '#/cart', '#!/pay'],
    );
  });

  test('heartbeat: none while nobody moved for half a minute', async (t) => {
    const { page, server } = await visitor(t, browser, {
      chosen: ['spa', 'heartbeat', 'queue'],
      config: { heartbeat: 1 },
      init: () => {
        const now = Date.now;
        window.ahead = 0;
        Date.now = () => now() + window.ahead;
      },
    });
    const beats = () => server.events().flatMap(({ event, originalTimestamp }) => (event ? [originalTimestamp] : []));
    await until(() => beats().length, 'the first heartbeat');
    const [from, to] = await page.evaluate(async () => {
      window.ahead = 31e3;
      const from = Date.now();
      let left = 2; // seconds, counted by the timer that heartbeats go by
      await new Promise((resolve) => setInterval(() => --left || resolve(), 1e3));
      return [from, Date.now()];
    });
    await page.mouse.move(5, 5);
    await until(() => beats().some((time) => time > to), 'a heartbeat of who is back');
    assert.deepEqual(
      beats().filter((time) => time > from && time < to),
      [],
    );
  });

  // Plays to whoever says that it listens, as YouTube's own does with enablejsapi=1.
  const player = `<script>
    const video_id = location.pathname.split('/').pop();
    const say = (currentTime) => parent.postMessage(JSON.stringify({ event: 'infoDelivery', info: { currentTime, duration: 10, videoData: { video_id } } }), '*');
    addEventListener('message', ({ data }) => JSON.parse(data).event === 'listening' && [1, 6].map(say));
  </script>`;

  test('media: a frame of YouTube that loaded before the tracker is asked at its start', async (t) => {
    const { page, server } = await visitor(t, browser, { chosen: ['spa', 'media', 'queue'], html: '<body>' });
    await page.route(/^https:/, (route) => route.fulfill({ contentType: 'text/html', body: player }));
    await page.evaluate(async () => {
      const frame = Object.assign(document.createElement('iframe'), { src: 'https://www.youtube.com/embed/film' });
      await new Promise((resolve) => {
        frame.onload = resolve;
        document.body.append(frame);
      });
    });
    await page.addScriptTag({ url: '/s/web.js' });
    await until(() => server.events().some(({ properties }) => properties?.percent === 50), 'what the film told');
  });

  test('media: a frame of YouTube that is asked reports, one of a stranger is not asked', async (t) => {
    const { page, server } = await visitor(t, browser, { chosen: ['spa', 'media', 'queue'] });
    await page.route(/^https:/, (route) => route.fulfill({ contentType: 'text/html', body: player }));
    await until(() => server.events().length, 'the first view');
    await page.evaluate(() => {
      for (const src of [
        'https://www.youtube.com.example/embed/forged',
        'https://www.youtube.com/embed/film?enablejsapi=1',
      ])
        document.body.append(Object.assign(document.createElement('iframe'), { src }));
      const picture = Object.assign(new Image(), { src: 'https://www.youtube.com/film.jpg' });
      document.body.append(picture);
      picture.dispatchEvent(new Event('load')); // has no window to ask
    });
    await until(() => server.events().length > 3, 'what the film told');
    assert.deepEqual(
      server.events().flatMap(({ event, properties }) => (event === 'Media' ? [properties] : [])),
      [0, 25, 50].map((percent) => ({ source: 'film', percent })),
    );
  });

  test('rage: a link that leads on and a form that is sent are not dead, what the page stops and forgets is', async (t) => {
    const { page, server } = await visitor(t, browser, {
      chosen: ['spa', 'rage', 'queue'],
      body: `<a id=slow href="/slow">next</a><a id=away href="/two" target=_blank>new tab</a><a id=stopped href="/three">nothing</a>
        <form action="/slow"><button id=sent>send</button></form>`,
      init: () => addEventListener('click', (event) => event.target.id === 'stopped' && event.preventDefault()),
    });
    await page.route('**/slow*', (route) => route.fulfill({ status: 204 })); // the page stays, as while it waits
    await until(() => server.events().length, 'the view');
    for (const id of ['slow', 'away', 'sent', 'stopped'])
      await page.evaluate((id) => document.getElementById(id).click(), id);
    await until(() => server.events().some(({ event }) => event === 'Dead Click'), 'the dead click');
    assert.deepEqual(
      server.events().flatMap(({ event, properties }) => (event === 'Dead Click' ? [properties] : [])),
      [{ selector: '#stopped' }],
    );
  });

  test('sampling: a share of none sends nothing', async (t) => {
    const { page, server } = await visitor(t, browser, { chosen: ['sampling', 'queue'], config: { sample: 0 } });
    assert.deepEqual(await page.evaluate(() => headwater('track', 'Seen')), { outcome: 'dropped' });
    assert.equal(server.bodies.length, 0);
  });

  for (const [feature, config, html, act, expected, complaints = []] of table)
    test(`${feature}: ${expected.event ?? expected.type}`, async (t) => {
      const { page, server } = await visitor(t, browser, {
        chosen: ['spa', feature, 'queue'],
        config,
        body: html,
        complaints,
      });
      await until(() => server.events().length, 'the first view');
      // Nothing here may leave the page while it is watched.
      await page.evaluate(() =>
        addEventListener('click', (event) => event.target.closest('a') && event.preventDefault()),
      );
      await page.evaluate(() => addEventListener('submit', (event) => event.preventDefault()));
      await (act === 'press' ? page.click('#x') : typeof act === 'string' ? page.click(act) : act(page));
      const { properties = {}, ...fields } = expected;
      const like = (event) =>
        Object.entries(fields).every(([key, value]) => event[key] === value) &&
        Object.entries(properties).every(([key, value]) => event.properties[key] === value);
      const later = () => server.events().slice(1); // after the first view

      assert.ok(
        await until(() => later().find(like), JSON.stringify(expected)).catch(() =>
          assert.fail(`${JSON.stringify(expected)} is not in ${JSON.stringify(later(), null, 1)}`),
        ),
      );
    });
});

/** Runs code in a document of its own; tells what was swallowed at its start and whether an event went out. */
const runEach = (codes) =>
  Promise.all(
    codes.map(async (code) => {
      const frame = document.body.appendChild(document.createElement('iframe'));
      const own = frame.contentWindow;
      const caught = (own.caught = []);
      const sent = new Promise((resolve) => {
        own.fetch = (_, { body }) => (/"event":"Paired"/.test(body) && resolve(true), new Promise(() => {}));
        setTimeout(resolve, 9000, false);
      });
      own.eval(code);
      own.headwater('track', 'Paired');
      own.headwater.consent?.('grant');
      const arrived = await sent;
      frame.remove();
      return [arrived, ...caught.filter((error) => !/is not valid JSON/.test(error))]; // nothing kept yet
    }),
  );

test('every pair of fragments runs: nothing is swallowed, an event goes out', async (t) => {
  const { page } = await visitor(t, browser, { path: '/none?chosen=lite' });
  const from = asset();
  const names = from.fragments.map(({ name }) => name).filter((name) => !['lite', 'token'].includes(name));
  const pairs = names.flatMap((one, at) => names.slice(at + 1).map((other) => [one, other]));
  const config = { endpoint: '/e/pairs', sample: 1, manual: true };
  for (let at = 0; at < pairs.length; at += 60) {
    const some = pairs.slice(at, at + 60);
    const codes = some.map((pair) =>
      compose([...pair, 'queue'], config, from).replace(
        /catch\{\}/g,
        'catch(error){error&&caught.push(String(error))}',
      ),
    );
    const seen = await page.evaluate(runEach, codes);
    some.forEach((pair, index) => assert.deepEqual(seen[index], [true], String(pair)));
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
