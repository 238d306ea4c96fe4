-- What browsers send, for wrk: beacons with `size` events, every event with an id of its own.
-- Arguments after the URL: events a hit, first part of the ids, seconds to send for.

local size, prefix, hold_at
local event_number = 0
local hit_number = 0
local now = os.date('!%Y-%m-%dT%H:%M:%S.000Z')

local HEAD = '{"sentAt":"' .. now .. '","anonymousId":"%s","sessionId":"%s","context":{"page":{'
  .. '"url":"https://shop.example/shoes/runner-7?utm_source=news&utm_medium=email&utm_campaign=spring",'
  .. '"title":"Runner 7, running shoes | Shop","referrer":"https://search.example/?q=running+shoes"},'
  .. '"screen":{"width":1512,"height":982,"density":2},"timezone":"Europe/Zurich","locale":"de-CH",'
  .. '"library":{"name":"headwater","version":"1"}},"batch":['
local EVENT = '{"messageId":"%s-%012x","type":"track","event":"Product Viewed","originalTimestamp":"' .. now
  .. '","properties":{"product_id":"runner-7","sku":"R7-42-BLUE","category":"Shoes","price":129.9,'
  .. '"currency":"CHF","position":%d,"in_stock":true}}'

function init(arguments)
  size, prefix = tonumber(arguments[1]), arguments[2]
  hold_at = os.time() + tonumber(arguments[3])
  wrk.method = 'POST'
  wrk.headers['Content-Type'] = 'text/plain;charset=UTF-8'
  wrk.headers['Origin'] = 'https://shop.example'
  wrk.headers['Accept-Language'] = 'de-CH,de;q=0.9,en;q=0.8'
  wrk.headers['User-Agent'] = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36'
    .. ' (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'
end

function request()
  hit_number = hit_number + 1
  local visitor = string.format('visitor-%06d', hit_number % 100000)
  local events = {}
  for at = 1, size do
    event_number = event_number + 1
    events[at] = string.format(EVENT, prefix, event_number, at)
  end
  local head = string.format(HEAD, visitor, visitor)
  return wrk.format(nil, nil, nil, head .. table.concat(events, ',') .. ']}')
end

-- Hold every connection before wrk ends: a hit under way would be stored, yet its answer never counted.
function delay()
  return os.time() >= hold_at and 3600000 or 0
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format('\n{"hits":%d,"failed":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, failed, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
