// A page and a tiny collector for tests: serves composed trackers, remembers what arrived, answers as told.
import { createServer } from 'node:http';
import { compose } from './compose.mjs';

export const stub = `!function(n,h){h=window[n]=window[n]||function(){var a=arguments;return new Promise(function(r){h.q.push([Date.now(),a,r])})};h.q=h.q||[];"page track identify group alias set reset consent ready flush".replace(/\\w+/g,function(m){h[m]=h[m]||h.bind(0,m)})}("headwater")`;

/** `chosen` is a preset or a list of fragments; `answer(body)` may give {status, headers, body}. */
export async function collector({ chosen = 'core', config = {}, html = '', headers = {}, answer } = {}) {
  const state = { batches: [], bodies: [], answer, chosen, config, html, headers };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    const cors = {
      'Access-Control-Allow-Origin': request.headers.origin ?? '*',
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Expose-Headers': 'Retry-After, X-Headwater-Reason, X-Headwater-Interval',
    };
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        const sent = JSON.parse(body);
        state.bodies.push(body);
        const { status = 204, headers: extra = {}, body: text = '', wait = 0 } = state.answer?.(sent, request) ?? {};
        if (status < 300) state.batches.push(sent);
        setTimeout(() => response.writeHead(status, { ...cors, ...extra }).end(text), wait);
      });
    } else if (pathname.startsWith('/s/')) {
      response.writeHead(200, { 'Content-Type': 'text/javascript', ...cors }).end(compose(state.chosen, state.config));
    } else {
      response
        .writeHead(200, { 'Content-Type': 'text/html', ...state.headers })
        .end(`<!doctype html><title>${pathname}</title>${state.html || `<script>${stub}</script><script async src="/s/web.js"></script>`}<a id=out href="http://localhost:1/x">out</a>`);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.origin = `http://127.0.0.1:${server.address().port}`;
  state.events = () => state.batches.flatMap(({ batch }) => batch);
  state.close = () => (server.closeAllConnections(), server.close());
  return state;
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
