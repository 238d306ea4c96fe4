// Print deliveries signed by vendors' own packages, one a line. Arguments: address, secret.
import { createRequire } from 'node:module'
import { sign as signGithub } from '@octokit/webhooks-methods'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'

const require = createRequire(import.meta.url)
const { Signature: HubSpot } = require('@hubspot/api-client/lib/src/utils/signature.js')
const { EventWebhook } = require('@sendgrid/eventwebhook')
const ecdsa = require('starkbank-ecdsa') // what SendGrid's package verifies with

const [address, secret] = process.argv.slice(2)
const now = new Date()
const seconds = Math.floor(now / 1000)
const body = JSON.stringify({ type: 'thing.happened', id: 'evt_1', name: 'Zürich' })

function print (preset, headers, sent = body, path = '', key = secret) {
  console.log(JSON.stringify({ preset, headers, body: sent, path, secret: key }))
}

print('github', { 'X-Hub-Signature-256': await signGithub(secret, body), 'X-GitHub-Delivery': '1', 'X-GitHub-Event': 'ping' })

for (const [preset, prefix, Webhook] of [['standard', 'webhook', StandardWebhook], ['standard', 'svix', SvixWebhook], ['gitlab', 'webhook', StandardWebhook]]) {
  const id = `msg_${preset}_${prefix}`
  const signature = new Webhook(secret).sign(id, now, body)
  print(preset, { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: `${seconds}`, [`${prefix}-signature`]: signature })
}

for (const path of ['', '/a%20b?next=https%3A%2F%2Fshop.example%2F%3Fa%40b']) {
  // HubSpot signs the address with these marks decoded; its package leaves that to who calls it.
  const url = address + path.replace(/%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, (mark) => decodeURIComponent(mark))
  const timestamp = now.getTime()
  const signature = HubSpot.getSignature('POST', 'v3', { clientSecret: secret, requestBody: body, url, timestamp })
  print('hubspot', { 'X-HubSpot-Signature-v3': signature, 'X-HubSpot-Request-Timestamp': `${timestamp}` }, body, path)
}

const sendgridKey = new ecdsa.PrivateKey()
const publicKey = sendgridKey.publicKey().toPem().replace(/-----.*?-----|\s/g, '')
const events = JSON.stringify([{ event: 'open', sg_event_id: 'e1', email: 'a@example.com' }])
const signature = ecdsa.Ecdsa.sign(seconds + events, sendgridKey).toBase64()
const sendgrid = new EventWebhook()
if (!sendgrid.verifySignature(sendgrid.convertPublicKeyToECDSA(publicKey), events, signature, `${seconds}`)) throw new Error('not signed')
print('sendgrid', { 'X-Twilio-Email-Event-Webhook-Signature': signature, 'X-Twilio-Email-Event-Webhook-Timestamp': `${seconds}` }, events, '', publicKey)
