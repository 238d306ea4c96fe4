// What arrives, whatever happens: the served file in a real Chromium against a collector that misbehaves.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { compose } from '../tools/compose.mjs';
import { launch, snippet, until, visitor } from '../tools/testing.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const told = { endpoint: '/e/web' };
const visit = (t, options) => visitor(t, browser, options);
const names = (server) => server.events().map(({ event, type }) => event ?? type);
const ids = (server) => server.events().map(({ messageId }) => messageId);
const alone = (list) => [...new Set(list)];
/** As the stream has them: what a page sent that was left before it heard the answer comes again, and is one event. */
const once = (server) => [...new Map(server.events().map((event) => [event.messageId, event])).values()];

for (const chosen of ['lite', 'core', ['spa', 'direct'], 'everything'])
  test(`${chosen}: calls before load, a view for each real navigation, its new title`, async (t) => {
    const { server, page } = await visit(t, {
      chosen,
      html: `${snippet()}<script>headwater('track', 'Early', {a: 1})</script>`,
    });
    await until(() => server.events().length >= 2, 'the early call and the first view');
    assert.deepEqual(names(server).slice(0, 2), ['Early', 'page']);
    await page.evaluate(() => {
      history.pushState(null, '', '/two?a=1');
      document.title = 'Two';
      history.replaceState({ scroll: 1 }, '', '/two?a=1#part');
    });
    await until(() => names(server).filter((name) => name === 'page').length === 2, 'the second view');
    const { url, referrer, title } = server.events().filter(({ type }) => type === 'page')[1].context.page;
    assert.deepEqual([url.split('#')[0], referrer, title], [`${server.origin}/two?a=1`, `${server.origin}/one`, 'Two']);
    await page.goBack();
    await until(() => names(server).filter((name) => name === 'page').length === 3, 'the view of going back');
  });

test('every event has an id in the order of time, and a promise that settles when it is safe', async (t) => {
  const { server, page } = await visit(t, {});
  const status = await page.evaluate(async () => (await headwater.track('Asked')).status);
  assert.equal(status, 204);
  const [first] = ids(server);
  assert.match(first, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(Math.abs(parseInt(first.replace('-', '').slice(0, 12), 16) - Date.now()) < 60000);
  assert.equal(typeof server.batches[0].sentAt, 'number');
  assert.match(server.batches[0].batchId, /-7/);
  assert.equal(server.requests[0].headers['content-type'], 'text/plain;charset=UTF-8');
  assert.equal(server.requests[0].headers.cookie, undefined);
});

test('503 twice, then fine: nothing lost, nothing doubled', async (t) => {
  let failures = 2;
  const { server } = await visit(t, { answer: () => (failures-- > 0 ? { status: 503 } : undefined) });
  await until(() => server.events().length, 'the view');
  assert.equal(server.bodies.length, 3);
});

test('429 with Retry-After is obeyed', async (t) => {
  const times = [];
  const { server } = await visit(t, {
    answer: () =>
      times.push(Date.now()) === 1 ? { status: 429, headers: { 'Retry-After': '2' }, wait: 700 } : undefined,
  });
  await until(() => server.events().length, 'the view');
  assert.ok(times[1] - times[0] >= 2700);
});

test('other 4xx are final, and the caller hears it', async (t) => {
  const { server, page } = await visit(t, {
    answer: () => ({ status: 400, headers: { 'X-Headwater-Reason': 'bad', 'X-Headwater-Interval': '50' } }),
  });
  const said = await page.evaluate(async () => {
    const answer = await headwater.track('Wrong');
    return [answer.status, answer.headers.get('X-Headwater-Reason')];
  });
  assert.deepEqual(said, [400, 'bad']);
  await page.evaluate(() => headwater.flush());
  assert.equal(alone(server.bodies.map((body) => JSON.parse(body).batchId)).length, server.bodies.length);
});

test('of a batch that was refused in part, every caller hears of his own event', async (t) => {
  const { server, page } = await visit(t, {
    chosen: ['spa', 'debug', 'queue'],
    path: '/one?hw-debug',
    answer: ({ batch }) => {
      const row = ({ event, messageId }) =>
        event === 'Wrong'
          ? { messageId, outcome: 'refused', reason: 'schema', message: 'plan is missing' }
          : { messageId, outcome: 'stored' };
      if (!batch.some(({ event }) => event === 'Wrong')) return;
      const headers = { 'X-Headwater-Reason': 'schema', 'X-Headwater-Interval': '50' };
      return { status: 200, headers, body: JSON.stringify({ events: batch.map(row) }) };
    },
  });
  await until(() => server.events().length, 'the view');
  const said = await page.evaluate(() =>
    Promise.all(
      ['Right', 'Wrong', 'Fine'].map((event) =>
        headwater.track(event).then(({ status, outcome, reason }) => [status, outcome, reason]),
      ),
    ),
  );
  assert.deepEqual(said, [
    [200, 'stored', undefined],
    [200, 'refused', 'schema'],
    [200, 'stored', undefined],
  ]);
  assert.equal(server.batches.at(-1).batch.length, 3);
  const shown = await page.evaluate(() => document.querySelector('textarea').textContent);
  const verdicts = shown
    .trim()
    .split('\n')
    .map(JSON.parse)
    .filter(({ status }) => status === 200);
  assert.deepEqual(verdicts.map(({ outcome, message }) => [outcome, message]).sort(), [
    ['refused', 'plan is missing'],
    ['stored', undefined],
    ['stored', undefined],
  ]);
});

for (const chosen of ['lite', 'core', 'typical', 'everything'])
  test(`${chosen}: a page that is left while the tracker is still being set up was seen`, async (t) => {
    const [stub] = snippet().split('<script async');
    const { server } = await visit(t, {
      chosen,
      html: `${stub}<script>if (location.pathname === "/one") document.write("<script src=/s/web.js><\\/script><script>location.href = \\"/two\\"<\\/script>"); else document.write("<script async src=/s/web.js><\\/script>")</script>`,
    });
    // What left as a first beacon comes again with the next page, under the same id: the collector stores it once.
    const views = () =>
      alone(
        server
          .events()
          .filter(({ type }) => type === 'page')
          .map(({ messageId, context }) => `${messageId} ${context.page.url}`),
      );
    await until(() => views().length === 2, 'both views');
    assert.deepEqual(
      views()
        .map((view) => view.slice(-4))
        .sort(),
      ['/one', '/two'],
    );
  });

test('200 events before unload are complete with the next page, each once', async (t) => {
  const { server, page } = await visit(t, {});
  await until(() => server.events().length, 'the view');
  // Not waited for: a page that goes into the browser's memory never answers.
  const left = page.evaluate(() => {
    for (let number = 0; number < 200; number++) headwater('track', 'Burst', { number, text: 'x'.repeat(700) });
    location.href = '/two';
  });
  left.catch(() => {});
  await until(
    () =>
      alone(
        server
          .events()
          .filter(({ event }) => event === 'Burst')
          .map(({ properties }) => properties.number),
      ).length === 200,
    'all 200',
  );
  // A batch on its way when the page ends may come again, as the same: the collector knows its ids.
  const burst = server.events().filter(({ event }) => event === 'Burst');
  assert.equal(alone(burst.map(({ messageId }) => messageId)).length, 200);
});

test('what a page left behind goes batch after batch, unless the collector asks for pauses', async (t) => {
  const left = () => {
    const queue = [...Array(12).keys()].map((number) => ({
      batch: [{ type: 'track', event: `Left ${number}`, messageId: `m${number}`, originalTimestamp: 1 }],
      batchId: `b${number}`,
      context: {},
    }));
    localStorage[`hw:${location.origin}/e/web:gone`] = JSON.stringify([0, queue]);
  };
  const arrived = (server) => names(server).filter((name) => /Left/.test(name)).length;
  const [free, paused] = await Promise.all([
    visit(t, { init: left, answer: () => ({ headers: {} }) }),
    visit(t, { init: left, answer: () => ({ headers: { 'X-Headwater-Interval': '60000' } }) }),
  ]);
  await until(() => arrived(free.server) === 12, 'all that was left'); // with two seconds between them it would be 24
  assert.equal(arrived(paused.server), 1);
});

test('what a hidden page records after another took its copy is delivered too', async (t) => {
  let well = true;
  const { server, page, context } = await visit(t, { answer: () => (well ? undefined : { status: 503 }) });
  await until(() => server.events().length, 'the view');
  well = false;
  await page.evaluate(() => void headwater('track', 'Before'));
  await until(() => server.requests.length > 1, 'the refused request');
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  const other = await context.newPage();
  await other.goto(`${server.origin}/two`);
  const copies = () => other.evaluate(() => Object.keys(localStorage).filter((key) => /^hw:http/.test(key)).length);
  await until(async () => (await copies()) === 1, 'the other page to take the copy over');
  await page.evaluate(() => void headwater('track', 'After'));
  well = true;
  await until(() => ['Before', 'After'].every((name) => names(server).includes(name)), 'both events');
  assert.equal(
    alone(
      server
        .events()
        .filter(({ event }) => event)
        .map(({ messageId }) => messageId),
    ).length,
    2,
  );
});

test('offline, then gone: the next page delivers', async (t) => {
  const { server, page, context } = await visit(t, {});
  await until(() => server.events().length, 'the view');
  await context.setOffline(true);
  await page.evaluate(() => void headwater('track', 'Offline'));
  await page.goto('about:blank');
  await context.setOffline(false);
  const next = await context.newPage();
  await next.goto(`${server.origin}/two`);
  await until(() => names(server).includes('Offline'), 'the event from before');
  // The page may have sent it with its last breath, too: under the same id, which the collector stores once.
  const offline = server.events().filter(({ event }) => event === 'Offline');
  assert.equal(alone(offline.map(({ messageId }) => messageId)).length, 1);
});

test('a page that died leaves its events to another, once its lease is over', async (t) => {
  const { server } = await visit(t, {
    init: () => {
      const body = {
        batch: [{ type: 'track', event: 'Orphan', messageId: 'a', originalTimestamp: 1 }],
        batchId: 'b',
        context: {},
      };
      const old = { ...body, batchId: 'c', sentAt: Date.now() - 4e6, batch: [{ ...body.batch[0], event: 'Too late' }] };
      localStorage[`hw:${location.origin}/e/web:dead`] = JSON.stringify([Date.now() + 1500, [old, body]]);
    },
  });
  await until(() => names(server).includes('Orphan'), 'the orphan');
  assert.ok(!names(server).includes('Too late')); // it may have arrived then, and the collector has forgotten its id
});

test('storage, cookies and history denied: a page works, and events arrive', async (t) => {
  const { server, page } = await visit(t, {
    chosen: 'everything',
    config: { privacy: 'cookie', domains: [] },
    init: () => {
      const deny = {
        get() {
          throw new DOMException('denied', 'SecurityError');
        },
      };
      Object.defineProperty(window, 'localStorage', deny);
      Object.defineProperty(window, 'sessionStorage', deny);
      Object.defineProperty(Document.prototype, 'cookie', { ...deny, set: deny.get });
      Object.freeze(history);
    },
    body: '<script>addEventListener("load", () => headwater("consent", "grant"))</script>',
  });
  await until(() => server.events().length, 'the view');
  await page.evaluate(() => history.pushState(null, '', '/two'));
  await until(() => names(server).filter((name) => name === 'page').length === 2, 'the second view');
});

test('a strict Content-Security-Policy with Trusted Types has nothing to refuse', async (t) => {
  const { server, page } = await visit(t, {
    chosen: 'typical',
    html: snippet({ nonce: 'abc' }),
    headers: {
      'Content-Security-Policy':
        "default-src 'none'; script-src 'nonce-abc' 'strict-dynamic'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
    },
  });
  await until(() => server.events().length, 'the view');
  await page.evaluate(() => headwater('track', 'Fine'));
  await until(() => names(server).includes('Fine'), 'the event');
});

test('a page with the tracker is kept in the back/forward cache, and coming back to it is a view', async (t) => {
  const own = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  t.after(() => own.close());
  const { server, page } = await visitor(t, own, { chosen: 'typical' });
  const views = () =>
    once(server)
      .filter(({ type }) => type === 'page')
      .map(({ context }) => context.page.url.slice(-4));
  await until(() => views().length === 1, 'the view');
  await page.evaluate(() => {
    window.kept = 'as it was';
  });
  await page.goto(`${server.origin}/two`);
  await until(() => views().length === 2, 'the second view');
  await page.evaluate(() => void setTimeout(() => history.back()));
  await until(() => views().length === 3, 'the view of coming back');
  assert.deepEqual(views(), ['/one', '/two', '/one']);
  assert.equal(await page.evaluate(() => window.kept), 'as it was');
});

test('back from the browser’s memory is a view', async (t) => {
  const { server, page } = await visit(t, {});
  await until(() => server.events().length === 1, 'the view');
  await page.evaluate(() => {
    for (const type of ['pagehide', 'pageshow']) dispatchEvent(new PageTransitionEvent(type, { persisted: true }));
  });
  await until(() => server.events().length === 2, 'the view of coming back');
});

test('a page opened behind others is viewed once it shows', async (t) => {
  const { server, page } = await visit(t, {
    init: () => {
      let hidden = true;
      Object.defineProperty(document, 'hidden', { get: () => hidden });
      window.show = () => ((hidden = false), document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    },
  });
  await page.evaluate(() => headwater.track('Behind'));
  await until(() => names(server).includes('Behind'), 'an event');
  assert.ok(!names(server).includes('page'));
  await page.evaluate(() => window.show());
  await until(() => names(server).includes('page'), 'the view');
});

test('two sources with names of their own both count, and know nothing of each other', async (t) => {
  const { server, page } = await visit(t, {
    html: `${snippet()}${snippet({ src: '/two.js', global: 'shop' })}`,
    files: (path) => path === '/two.js' && compose('core', { global: 'shop', endpoint: '/e/shop' }),
  });
  await page.evaluate(() => Promise.all([headwater.track('Here'), shop.track('There'), shop.identify('u-1')]));
  const of = (path) =>
    server.bodies.filter((_, at) => server.requests[at].url === path).flatMap((body) => JSON.parse(body).batch);
  assert.deepEqual(
    of('/e/web')
      .map(({ event, type }) => event ?? type)
      .sort(),
    ['Here', 'page'],
  );
  assert.deepEqual(
    of('/e/shop')
      .map(({ event, type }) => event ?? type)
      .sort(),
    ['There', 'identify', 'page'],
  );
});

test('two sources under one name by mistake: each has the calls before it, the later one all that comes after', async (t) => {
  const { server, page } = await visit(t, {
    html: `${snippet()}<script>headwater('track', 'Early')</script>`,
    files: (path) => path === '/two.js' && compose('core', { endpoint: '/e/shop' }),
  });
  const of = (path) =>
    server.bodies
      .filter((_, at) => server.requests[at].url === path)
      .flatMap((body) => JSON.parse(body).batch.map(({ event, type }) => event ?? type))
      .sort();
  await until(() => of('/e/web').length > 1, 'the first');
  await page.addScriptTag({ url: '/two.js' });
  await until(() => of('/e/shop').length > 1, 'the second');
  await page.evaluate(() => (headwater.track('Later'), history.pushState(null, '', '/two')));
  await until(() => of('/e/shop').length > 4, 'what comes after');
  assert.deepEqual(of('/e/web'), ['Early', 'page']);
  assert.deepEqual(of('/e/shop'), ['Early', 'Later', 'page', 'page', 'page']);
});

for (const [how, tag] of [
  ['deferred', '<script defer src="/s/web.js"></script>'],
  ['as a module, which is told its endpoint', '<script type="module" src="/s/web.js"></script>'],
  [
    'pinned by its integrity',
    () => snippet({ integrity: `sha384-${createHash('sha384').update(compose('typical', told)).digest('base64')}` }),
  ],
])
  test(`loaded ${how}: it counts`, async (t) => {
    const { server, page } = await visit(t, {
      chosen: 'typical',
      config: told,
      html: typeof tag === 'string' ? tag : tag(),
    });
    await until(() => server.events().length, 'the view');
    assert.equal(await page.evaluate(async () => (await headwater('track', 'Loaded')).status), 204);
  });

test('loaded twice counts once', async (t) => {
  const html = `${snippet()}<script async src="/s/web.js"></script><script async src="/s/web.0123abcd.js"></script>`;
  const { server, page } = await visit(t, { html });
  await page.evaluate(() => headwater.track('Once'));
  await page.evaluate(() => headwater.flush());
  assert.deepEqual(names(server), ['page', 'Once']);
});

test('no stub, no tag attributes, loaded late: the tracker stands on its own', async (t) => {
  const { server, page } = await visit(t, {
    html: '<script>const s = document.createElement("script"); s.src = "/s/web.js"; setTimeout(() => document.head.append(s), 100)</script>',
  });
  await until(() => server.events().length, 'the view');
  assert.equal(await page.evaluate(async () => (await headwater('track', 'Late')).status), 204);
});

test('consent: nothing leaves and nothing is stored before it; withdrawal deletes all but the no', async (t) => {
  const { server, page } = await visit(t, {
    chosen: ['spa', 'consent', 'visitor', 'session', 'queue'],
    config: { consent: 'required', privacy: 'cookie' },
  });
  const kept = () => page.evaluate(() => Object.keys(localStorage).length + document.cookie.length);
  await page.evaluate(() => void headwater('track', 'Early'));
  await page.waitForTimeout(300);
  assert.deepEqual([server.bodies.length, await kept()], [0, 0]);
  await page.evaluate(() => void headwater('consent', { analytics: true, ads: false }));
  await until(() => server.events().length === 2, 'what waited');
  assert.deepEqual(server.events()[0].context.consent, { analytics: true, ads: false });
  assert.match(server.events()[0].anonymousId, /-7/);
  assert.ok((await kept()) > 0);
  await page.evaluate(() => void headwater('consent', 'deny'));
  await page.evaluate(() => headwater('track', 'After'));
  await page.evaluate(() => headwater.flush());
  assert.deepEqual(await page.evaluate(() => [document.cookie, { ...localStorage }]), [
    '',
    { hw: '{"analytics":false,"ads":false}' }, // the no itself
  ]);
  assert.ok(!names(server).includes('After'));
});

test('Google Consent Mode and TCF grant consent', async (t) => {
  for (const give of [
    () =>
      (function () {
        dataLayer.push(arguments);
      })('consent', 'update', { analytics_storage: 'granted' }),
    () => {
      window.__tcfapi = (command, version, listen) =>
        listen({ eventStatus: 'useractioncomplete', purpose: { consents: { 1: true, 8: true } } }, true);
    },
  ]) {
    const { server, page } = await visit(t, {
      chosen: ['spa', 'consentsignals', 'queue'],
      config: { consent: 'required' },
    });
    await until(() => page.evaluate(() => !!headwater.consent && !!window.dataLayer), 'the tracker');
    await page.evaluate(give);
    await until(() => server.events().length, 'the view');
  }
});

test('a purpose that TCF leaves out is a no', async (t) => {
  const { page } = await visit(t, {
    chosen: ['spa', 'consentsignals', 'queue'],
    config: { consent: 'required' },
    init: () => {
      window.__tcfapi = (command, version, listen) =>
        listen({ eventStatus: 'tcloaded', gdprApplies: true, purpose: { consents: { 1: true } } }, true);
    },
  });
  await until(() => page.evaluate(() => localStorage.hw === '{"analytics":false}'), 'the no');
});

test('core: consent travels with events, and a no to it is remembered', async (t) => {
  const { server, page } = await visit(t, {});
  await until(() => server.events().length, 'the view');
  assert.equal('consent' in server.events()[0].context, false);
  await page.evaluate(() => headwater.consent({ ads: false }));
  await page.evaluate(() => headwater.track('Known'));
  assert.deepEqual(server.events()[1].context.consent, { ads: false });
  await page.evaluate(() => headwater.consent('deny'));
  assert.deepEqual(await page.evaluate(() => headwater.track('Denied')), { outcome: 'dropped' });
  await page.goto(`${server.origin}/two`);
  await page.evaluate(() => headwater.track('Denied here too'));
  await page.evaluate(() => headwater.consent('grant'));
  await page.evaluate(() => headwater.track('Agreed'));
  assert.deepEqual(names(server), ['page', 'Known', 'Agreed']);
  assert.deepEqual(server.events()[2].context.consent, { ads: false, analytics: true });
});

test('core: who opted out stays out, on the next page and whatever is consented to', async (t) => {
  const { server, page } = await visit(t, {});
  await until(() => server.events().length, 'the view');
  await page.evaluate(() => headwater.optOut());
  await page.goto(`${server.origin}/two`);
  await page.evaluate(() => headwater.consent({ analytics: true }));
  assert.deepEqual(await page.evaluate(() => headwater.track('Out')), { outcome: 'dropped' });
  await page.evaluate(() => headwater.optIn());
  await page.evaluate(() => headwater.track('In'));
  assert.deepEqual(names(server), ['page', 'In']);
});

test('a page that shows and is left at once has its view among the beacons', async (t) => {
  const { page } = await visit(t, {
    init: () => {
      window.away = true;
      window.beacons = [];
      Object.defineProperty(document, 'hidden', { get: () => window.away });
      navigator.sendBeacon = (_, body) => window.beacons.push(JSON.parse(body).batch.map(({ type }) => type));
    },
  });
  await page.evaluate(() => new Promise((resolve) => headwater.ready(resolve)));
  // Nothing follows: no `visibilitychange` takes along what came too late.
  const beacons = await page.evaluate(() => {
    window.away = false;
    dispatchEvent(new PageTransitionEvent('pagehide'));
    return window.beacons;
  });
  assert.deepEqual(beacons, [['page']]);
});

test('Global Privacy Control is respected', async (t) => {
  const quiet = await visit(t, {
    chosen: 'typical',
    init: () => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }),
  });
  await quiet.page.evaluate(() => headwater('track', 'Asked not to'));
  assert.equal(quiet.server.bodies.length, 0);
  for (const [dnt, sent] of [
    [true, 0],
    [false, 1],
  ]) {
    const asked = await visit(t, {
      chosen: 'typical',
      config: { dnt },
      init: () => Object.defineProperty(navigator, 'doNotTrack', { value: '1' }),
    });
    await asked.page.evaluate(() => headwater('track', 'Asked not to'));
    assert.equal(Math.min(asked.server.bodies.length, 1), sent);
  }
});

test('a new campaign starts a new session where the source says so', async (t) => {
  for (const [campaigns, sessions] of [
    [true, 2],
    [false, 1],
  ]) {
    const config = { privacy: 'cookie', campaigns };
    const { server, page } = await visit(t, { chosen: ['spa', 'session', 'queue'], config });
    await until(() => once(server).length === 1, 'the view');
    await page.goto(`${server.origin}/one?utm_source=news`);
    await until(() => once(server).length === 2, 'the view of the campaign');
    await page.evaluate(() => headwater('track', 'Read'));
    await page.reload(); // the same campaign
    await until(() => once(server).length === 4, 'the view of the reload');
    assert.equal(alone(once(server).map(({ sessionId }) => sessionId)).length, sessions);
  }
});

test('cookieless stores no visitor id; cookie keeps one, its session and its campaign', async (t) => {
  const chosen = ['spa', 'visitor', 'session', 'attribution', 'queue'];
  const without = await visit(t, { chosen });
  await until(() => without.server.events().length, 'the view');
  assert.deepEqual(
    [without.server.events()[0].anonymousId, without.server.events()[0].sessionId],
    [undefined, undefined],
  );
  assert.equal(await without.page.evaluate(() => document.cookie), '');

  const { server, page } = await visit(t, {
    chosen,
    config: { privacy: 'cookie' },
    path: '/one?utm_source=news&utm_campaign=may&gclid=1',
  });
  await until(() => once(server).length === 1, 'the view');
  await page.goto(`${server.origin}/two`);
  await until(() => once(server).length === 2, 'the second view');
  const [one, two] = once(server);
  assert.deepEqual(
    [two.anonymousId, two.sessionId, two.context.campaign],
    [one.anonymousId, one.sessionId, { source: 'news', name: 'may', clickIds: { gclid: '1' } }],
  );
  await page.evaluate(() => void headwater('reset'));
  await page.evaluate(() => headwater('track', 'Someone else'));
  assert.notEqual(server.events().at(-1).anonymousId, one.anonymousId);
});

test('a link to a sister domain carries the visitor, and the address is clean again', async (t) => {
  const { server, page } = await visit(t, {
    chosen: ['spa', 'crossdomain', 'queue'],
    config: { privacy: 'cookie', domains: ['localhost'] },
    body: '<script>document.write(`<a id=x href="http://localhost:${location.port}/two?a=1">x</a>`)</script>',
  });
  await until(() => server.events().length, 'the view');
  await page.click('#x');
  await until(() => server.events().length === 2, 'the view over there');
  const [here, there] = server.events();
  assert.equal(there.anonymousId, here.anonymousId);
  assert.match(there.context.page.url, /^http:\/\/localhost:\d+\/two\?a=1$/);
});

test('the debug overlay shows events and verdicts', async (t) => {
  const { page } = await visit(t, { chosen: ['spa', 'debug', 'queue'], path: '/one?hw-debug' });
  await until(
    () => page.evaluate(() => /"status":204/.test(document.querySelector('textarea')?.textContent)),
    'the verdict',
  );
  // The verdict is told of an id, so the event is shown with its own.
  const lines = (await page.evaluate(() => document.querySelector('textarea').textContent)).split('\n');
  const [verdict, shown] = lines.slice(0, 2).map(JSON.parse);
  assert.ok(shown.messageId);
  assert.equal(shown.messageId, verdict.messageId);
});

test('context comes with the batch, and identify with every event after it', async (t) => {
  const { server, page } = await visit(t, { chosen: ['spa', 'context', 'queue'] });
  await page.evaluate(() => void headwater('identify', 'u-1', { plan: 'pro' }));
  await page.evaluate(() => headwater('track', 'Known'));
  const { context, userId } = server.events().find(({ event }) => event === 'Known');
  assert.equal(userId, 'u-1');
  assert.equal(context.library.name, 'headwater');
  assert.deepEqual(Object.keys(context).sort(), ['library', 'locale', 'page', 'screen', 'timezone']);
});

test('what cannot be written is dropped alone, and what the page changes later is sent as it was', async (t) => {
  const { server, page } = await visit(t, {});
  await page.evaluate(async () => {
    const said = { plan: 'pro' };
    headwater('track', 'Bad', { window });
    headwater('track', 'Big', { number: 1n });
    const sent = headwater('track', 'Good', said);
    said.plan = 'none';
    await sent;
  });
  assert.deepEqual(
    server
      .events()
      .filter(({ type }) => type === 'track')
      .map(({ event, properties }) => [event, properties.plan]),
    [['Good', 'pro']],
  );
});

/** Same fields, same kinds of values; a golden file names what the Python side is tested with. */
function alike(golden, made, path = '') {
  for (const [key, value] of Object.entries(golden)) {
    assert.ok(key in made, `${path}${key} is missing`);
    const kind = (one) => (/Timestamp|sentAt/.test(key) ? 'time' : typeof one);
    assert.equal(kind(made[key]), kind(value), path + key);
    if (value && kind(value) === 'object' && !Array.isArray(value) && key !== 'traits')
      alike(value, made[key], `${path}${key}.`);
  }
}

test('batches look like the golden ones that Python reads', async (t) => {
  const folder = new URL('../../tests/wire/', import.meta.url);
  for (const file of ['page-and-track.json', 'identify-and-group.json']) {
    const { body } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    const { server, page } = await visit(t, {
      chosen: ['spa', 'context', 'visitor', 'session', 'queue'],
      config: { privacy: 'cookie', manual: true },
    });
    await page.evaluate((batch) => {
      for (const { type, event, name, userId, groupId, previousId, properties, traits } of batch)
        void headwater(type, event ?? name ?? groupId ?? userId, properties ?? traits ?? previousId);
    }, body.batch);
    await until(() => server.events().length === body.batch.length, file);
    const made = JSON.parse(server.bodies[0]);
    alike({ ...body, batch: [] }, made, `${file}: `);
    body.batch.forEach((event, at) =>
      alike({ ...event, context: {} }, { context: {}, ...server.events()[at] }, `${file} ${at}: `),
    );
  }
});
