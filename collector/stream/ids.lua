-- The ids of a group of events that Kafka keeps: which were seen; or remember them, and the last events.
--
-- KEYS[1]  prefix of the sets of seen ids, as in append.lua
-- KEYS[2…] streams of the last events, for people to look at
-- ARGV[1]  look or keep; then six for each event: number of its stream, source id, window in seconds, digest
--          of its id, type, event as JSON
-- Returns  for each event 1 when its id was seen, else 0

local SHARDS = 8
local LAST = 1000
local now = tonumber(redis.call('TIME')[1])
local seen = {}

for at = 2, #ARGV, 6 do
  local window, digest = tonumber(ARGV[at + 2]), ARGV[at + 3]
  local shard = tonumber(string.sub(digest, -3)) % SHARDS
  local base = KEYS[1] .. ':' .. ARGV[at + 1] .. ':' .. shard .. ':'
  local bucket = math.floor(now / window)
  local there = 0
  if ARGV[1] == 'keep' then
    redis.call('SADD', base .. bucket, digest)
    if redis.call('SCARD', base .. bucket) == 1 then
      redis.call('EXPIRE', base .. bucket, window * 2)
    end
    redis.call('XADD', KEYS[1 + tonumber(ARGV[at])], 'MAXLEN', '~', LAST, '*',
      'source', ARGV[at + 1], 'type', ARGV[at + 4], 'event', ARGV[at + 5])
  else
    for each = bucket - 1, bucket + 1 do
      there = math.max(there, redis.call('SISMEMBER', base .. each, digest))
    end
  end
  seen[#seen + 1] = there
end

return seen
