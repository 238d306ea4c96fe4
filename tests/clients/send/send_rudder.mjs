// One event of each type through @rudderstack/rudder-sdk-node, gzipped as it does by default. Arguments: host, key.
import { createRequire } from 'node:module'

const [dataPlaneUrl, writeKey] = process.argv.slice(2)
const rudder = createRequire(import.meta.url)('@rudderstack/rudder-sdk-node')
const Analytics = rudder.default ?? rudder
const client = new Analytics(writeKey, { dataPlaneUrl, logLevel: 'error', retryCount: 10 })
client.identify({ userId: 'u1', traits: { plan: 'pro' } })
client.track({ userId: 'u1', event: 'Call Ended', properties: { seconds: 312, reason: 'billing' } })
client.page({ userId: 'u1', category: 'Docs', name: 'Home', properties: { url: 'https://shop.example/docs', title: 'Home' } })
client.screen({ userId: 'u1', category: 'App', name: 'Start' })
client.group({ userId: 'u1', groupId: 'g1', traits: { name: 'ACME' } })
client.alias({ userId: 'u1', previousId: 'old' })
await new Promise((resolve, reject) => client.flush((error) => (error ? reject(error) : resolve())))
process.exit(0)
