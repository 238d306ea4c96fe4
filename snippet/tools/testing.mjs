// A page and a tiny collector for tests: serves composed trackers, remembers what arrived, answers as told.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { compose } from './compose.mjs';

/** The snippet that a site owner pastes, from the template that the collector renders. */
export function snippet({ src = '/s/web.js', global = 'headwater', nonce, integrity } = {}) {
  const values = { src, global, nonce, integrity };
  return readFileSync(new URL('../../templates/snippet.html.j2', import.meta.url), 'utf8')
    .replace(/\{#.*?#\}\n?/gs, '')
    .replace(/\{% if (\w+) %\}(.*?)\{% endif %\}/g, (_, name, text) => (values[name] ? text : ''))
    .replace(/\{\{ (\w+).*?\}\}/g, (_, name) => values[name])
    .trim();
}

/** `chosen` is a preset or a list of fragments; `files(path)` gives more to serve; `answer(body)` may give {status, headers, body, wait}. */
export async function collector({
  chosen = 'core',
  config = {},
  html,
  body = '',
  headers = {},
  answer,
  files = () => false,
  rewrite = (code) => code,
} = {}) {
  const state = { batches: [], bodies: [], requests: [], answer };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://x');
    const cors = {
      'Access-Control-Allow-Origin': request.headers.origin ?? '*',
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Expose-Headers': 'Retry-After, X-Headwater-Reason, X-Headwater-Interval',
    };
    if (pathname.startsWith('/e/')) {
      state.requests.push(request);
      let text = '';
      request.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      request.on('end', () => {
        const sent = JSON.parse(text);
        state.bodies.push(text);
        const {
          status = 204,
          headers: extra = { 'X-Headwater-Interval': '50' },
          body: reply = '',
          wait = 0,
        } = state.answer?.(sent, request) ?? {};
        if (status < 300) state.batches.push(sent);
        setTimeout(() => response.writeHead(status, { ...cors, ...extra }).end(reply), wait);
      });
    } else if (pathname.startsWith('/s/')) {
      response
        .writeHead(200, { 'Content-Type': 'text/javascript', ...cors })
        .end(rewrite(compose(searchParams.get('chosen')?.split(',') ?? chosen, config)));
    } else if (files(pathname)) {
      response
        .writeHead(200, {
          'Content-Type': pathname.endsWith('.html') ? 'text/html' : 'text/javascript',
          'Service-Worker-Allowed': '/',
        })
        .end(files(pathname));
    } else {
      response.writeHead(200, { 'Content-Type': 'text/html', ...headers });
      response.end(
        `<!doctype html><title>${pathname}</title>${html ?? snippet({ src: `/s/web.js${searchParams.has('chosen') ? '?chosen=' + searchParams.get('chosen') : ''}` })}<body>${body}`,
      );
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.origin = `http://127.0.0.1:${server.address().port}`;
  /** Events as the collector understands them: the event's context over the envelope's, the envelope's ids below. */
  state.events = () =>
    state.batches.flatMap(({ batch, context, ...envelope }) =>
      batch.map((event) => ({ ...envelope, ...event, context: { ...context, ...event.context } })),
    );
  state.close = () => (server.closeAllConnections(), server.close());
  return state;
}

const args = [
  '--no-sandbox',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];
export const launch = (options) =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args, ...options });

/** A collector, a fresh visitor on its page `/one`, and the certainty that the page complained of nothing unexpected. */
export async function visitor(t, browser, { complaints = [], init, path = '/one', ...options } = {}) {
  const server = await collector(options);
  const context = await browser.newContext();
  if (init) await context.addInitScript(init);
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  t.after(async () => {
    await context.close();
    server.close();
    assert.deepEqual(errors, complaints);
  });
  await page.goto(server.origin + path);
  return { server, context, page };
}

/** Wait until `look()` gives something true; the limit only ends a failing test. */
export async function until(look, what = 'it', limit = 15000) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited for ${what} in vain`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
