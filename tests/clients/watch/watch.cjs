// Note whom a Node program resolves and connects to. Node runs this file before the program.
const dns = require('node:dns')
const { appendFileSync } = require('node:fs')
const net = require('node:net')

const note = (target) => target && appendFileSync(process.env.CLIENT_WATCH, `${target}\n`)

const lookup = dns.lookup
dns.lookup = (name, ...rest) => { note(name); return lookup(name, ...rest) }

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...given) {
  const [options, host] = Array.isArray(given[0]) ? given[0] : given
  note(options?.host ?? (typeof host === 'string' ? host : undefined))
  return connect.apply(this, given)
}
