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
