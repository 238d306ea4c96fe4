// One event of each type through @segment/analytics-node. Arguments: package, host, write key.
import { createRequire } from 'node:module'

const [packageName, host, writeKey] = process.argv.slice(2)
const { Analytics } = createRequire(import.meta.url)(packageName)
const analytics = new Analytics({ writeKey, host, maxRetries: 10 })
analytics.on('error', (error) => console.error(error))
analytics.identify({ userId: 'u1', traits: { plan: 'pro' } })
analytics.track({ userId: 'u1', event: 'Call Ended', properties: { seconds: 312, reason: 'billing' } })
analytics.page({ userId: 'u1', category: 'Docs', name: 'Home', properties: { url: 'https://shop.example/docs', title: 'Home' } })
analytics.screen({ userId: 'u1', category: 'App', name: 'Start' })
analytics.group({ userId: 'u1', groupId: 'g1', traits: { name: 'ACME' } })
analytics.alias({ userId: 'u1', previousId: 'old' })
await analytics.closeAndFlush({ timeout: 60000 })
