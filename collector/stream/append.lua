-- Append a group of events to the streams of one partition, each id at most once in its window.
--
-- KEYS[1]  prefix of the sets of seen ids; it carries the partition's hash tag, so every key made
--          from it lies in the partition's slot
-- KEYS[2…] the streams of the group
-- ARGV     six for each event: number of its stream in KEYS, source id, window in seconds,
--          digest of its id (a signed 64-bit number), type, event as JSON
-- Returns  for each event its entry id, or an empty string when its id was seen before
--
-- Ids are kept as numbers in sets of one window each: up to 512 members Redis stores such a set as a
-- sorted array of 8-byte integers. A source's ids are spread over SHARDS sets to keep each that small.
-- The set of the current window and the one before it cover at least one whole window.

local SHARDS = 64
local now = tonumber(redis.call('TIME')[1])
local entries = {}

for at = 1, #ARGV, 6 do
  local window = tonumber(ARGV[at + 2])
  local digest = ARGV[at + 3]
  local bucket = math.floor(now / window)
  local shard = tonumber(string.sub(digest, -4)) % SHARDS
  local base = KEYS[1] .. ':' .. ARGV[at + 1] .. ':' .. shard .. ':'
  local current = base .. bucket
  local entry = ''
  if redis.call('SISMEMBER', base .. (bucket - 1), digest) == 0
      and redis.call('SADD', current, digest) == 1 then
    if redis.call('SCARD', current) == 1 then
      redis.call('EXPIRE', current, window * 2)
    end
    entry = redis.call('XADD', KEYS[tonumber(ARGV[at]) + 1], '*',
      'source', ARGV[at + 1], 'type', ARGV[at + 4], 'event', ARGV[at + 5])
  end
  entries[#entries + 1] = entry
end

return entries
