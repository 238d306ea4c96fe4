-- The yardstick: the least that a collector can do in nginx. Parse the batch, stamp each event, XADD it,
-- answer when all are in. No checks, no enrichment, no idempotency.

local cjson = require 'cjson.safe'

local function command(...)
  local parts = { '*' .. select('#', ...) .. '\r\n' }
  for _, argument in ipairs({ ... }) do
    parts[#parts + 1] = '$' .. #argument .. '\r\n' .. argument .. '\r\n'
  end
  return table.concat(parts)
end

local function stamped(event, envelope, received)
  event.anonymousId = envelope.anonymousId
  event.sessionId = envelope.sessionId
  event.context = envelope.context
  event.sentAt = envelope.sentAt
  event.receivedAt = received
  event.source = { id = 'bench', bridge = 'web', channel = 'Web' }
  return cjson.encode(event)
end

local function commands(stream, envelope)
  local received = os.date('!%Y-%m-%dT%H:%M:%SZ', ngx.time())
  local lines = {}
  for at, event in ipairs(envelope.batch) do
    local data = stamped(event, envelope, received)
    lines[at] = command('XADD', stream, '*', 'source', 'bench', 'type', event.type, 'event', data)
  end
  return lines
end

local function send(address, lines)
  local redis = ngx.socket.tcp()
  if not redis:connect(address) or not redis:send(lines) then
    return false
  end
  for _ = 1, #lines do
    local length = redis:receive()  -- the entry's id is a bulk string: its length, then itself
    if not length or length:sub(1, 1) ~= '$' or not redis:receive() then
      return false
    end
  end
  redis:setkeepalive(60000, 128)
  return true
end

ngx.req.read_body()
local envelope = cjson.decode(ngx.req.get_body_data() or '')
if not envelope then
  return ngx.exit(400)
end
local safe = send(ngx.var.redis, commands(ngx.var.stream, envelope))
return ngx.exit(safe and 204 or 503)
