// A page view and an event through a client of another system. Arguments: client, host, site id or key.
import { createRequire } from 'node:module'

const [client, host, site] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const url = 'https://shop.example/docs'

const CLIENTS = {
  async umami() {
    const umami = require('@umami/node').default
    umami.init({ websiteId: site, hostUrl: host })
    await umami.track({ hostname: 'shop.example', url: '/docs', title: 'Home' })
    await umami.track({ hostname: 'shop.example', url: '/docs', name: 'Call Ended', data: { seconds: 312 } })
  },
  async posthog() {
    const { PostHog } = require('posthog-node')
    const posthog = new PostHog(site, { host, fetchRetryCount: 20, fetchRetryDelay: 100, flushAt: 100 })
    posthog.capture({ distinctId: 'u1', event: '$pageview', properties: { $current_url: url, title: 'Home' } })
    posthog.capture({ distinctId: 'u1', event: 'Call Ended', properties: { seconds: 312 } })
    await posthog.shutdown(60000)
  },
  async amplitude() {
    const { createInstance } = require('@amplitude/analytics-node')
    const amplitude = createInstance()
    const options = { serverUrl: `${host}/2/httpapi`, flushIntervalMillis: 100, flushMaxRetries: 20 }
    await amplitude.init(site, options).promise
    const page = { '[Amplitude] Page Location': url, '[Amplitude] Page Title': 'Home' }
    const sent = [
      amplitude.track('[Amplitude] Page Viewed', page, { user_id: 'user-1' }).promise,
      amplitude.track('Call Ended', { seconds: 312 }, { user_id: 'user-1' }).promise,
    ]
    const codes = (await Promise.all(sent)).map((result) => result.code)
    process.exit(codes.every((code) => code === 200) ? 0 : 1)
  },
  async mixpanel() {
    const { hostname, port } = new URL(host)
    const config = { host: hostname, port, protocol: 'http', keepAlive: false, verbose: true }
    const mixpanel = require('mixpanel').init(site, config)
    const sent = (...given) => new Promise((resolve, reject) => {
      mixpanel.track(...given, (error) => (error ? reject(error) : resolve()))
    })
    await sent('$mp_web_page_view', { distinct_id: 'u1', $current_url: url, current_page_title: 'Home' })
    await sent('Call Ended', { distinct_id: 'u1', seconds: 312 })
    process.exit(0) // it keeps its connections open
  },
  async matomo() {
    const MatomoTracker = require('matomo-tracker')
    const matomo = new MatomoTracker(Number(site), `${host}/matomo.php`)
    matomo.on('error', (error) => { console.error(error); process.exit(1) })
    const view = { url, action_name: 'Home', _id: '0123456789abcdef', token_auth: '0123456789abcdef'.repeat(2) }
    const event = { ...view, e_c: 'Calls', e_a: 'Call Ended', dimension1: '312' }
    await new Promise((resolve) => matomo.trackBulk([view, event], resolve))
    process.exit(0) // what it does not read keeps Node alive
  },
}
await CLIENTS[client]()
