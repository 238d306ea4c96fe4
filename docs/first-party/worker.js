// A Cloudflare Worker for the route www.example.com/in/*; its variable COLLECTOR is https://collect.example.com
const PATH = '/in';

export default {
  async fetch(request, env) {
    const { host, pathname, search } = new URL(request.url);
    const forwarded = new Request(env.COLLECTOR + pathname.slice(PATH.length) + search, request);
    const { headers } = forwarded;
    // Set, not added to: what a visitor wrote into these is not believed.
    headers.set('X-Forwarded-For', headers.get('CF-Connecting-IP'));
    headers.set('X-Forwarded-Host', host);
    // Of the visitor's cookies the collector needs its own; the rest stays here.
    const [cookie] = /__Host-hw=[0-9a-f]{32}/.exec(headers.get('Cookie')) ?? [];
    cookie ? headers.set('Cookie', cookie) : headers.delete('Cookie');
    // Cloudflare keeps what ends in .js for as long as the collector's answer says.
    return fetch(forwarded, { redirect: 'manual' });
  },
};
