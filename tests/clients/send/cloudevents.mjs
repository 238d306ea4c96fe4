// Send one CloudEvent binary, one structured and a batch with the cloudevents package. Argument: address.
import { CloudEvent, HTTP, emitterFor, httpTransport, Mode } from 'cloudevents'

const event = (id) =>
  new CloudEvent({ id, source: '/shop', type: 'order.paid', subject: 'Zürich', time: '2026-01-02T03:04:05.000Z', data: { total: 42, id } })
const transport = httpTransport(process.argv[2])
await emitterFor(transport)(event('1'))
await emitterFor(transport, { mode: Mode.STRUCTURED })(event('2'))
const body = JSON.stringify([event('3').toJSON(), event('4').toJSON()])
await fetch(process.argv[2], { method: 'POST', headers: { 'content-type': 'application/cloudevents-batch+json' }, body })
