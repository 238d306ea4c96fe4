-- Append a group of events to the streams of one partition: the group once, each id once in its window.
--
-- KEYS[1]  prefix of the sets of seen ids; it carries the partition's hash tag, so every key made
--          from it lies in the partition's slot
-- KEYS[2…] one for each writer whose mark the group carries, then the streams of the group
-- ARGV[1]  number of marks; for each mark its first and its last number; then six for each event:
--          number of its stream, source id, window in seconds, digest of its id (a signed 64-bit
--          number), type, event as JSON
-- Returns  for each event its entry id, or an empty string when its id was seen before; a number
--          when a mark says that the group, or its beginning, is in the stream already: the last
--          number that is
--
-- A writer numbers what it sends. Redis remembers the last number of each, so a group whose answer was
-- lost can be sent again, however late: it is added only if it never arrived, and never twice.
--
-- Ids are kept as numbers in sets of one window each: up to 512 members Redis stores such a set as a
-- sorted array of 8-byte integers. A source's ids are spread over SHARDS sets to keep each that small.
-- The set of the current window and the one before it cover at least one whole window; the one after it
-- is there when the clock was set back.

local SHARDS = 64
local MARK_SECONDS = 30 * 24 * 3600
local now = tonumber(redis.call('TIME')[1])
local marks = tonumber(ARGV[1])
local entries = {}

for mark = 1, marks do
  local last = tonumber(redis.call('GET', KEYS[1 + mark]) or 0)
  if last >= tonumber(ARGV[2 * mark]) then
    -- A write, so that WAIT behind it waits until replicas have what came before it: the group too.
    redis.call('EXPIRE', KEYS[1 + mark], MARK_SECONDS)
    return last
  end
end
for at = 2 + 2 * marks, #ARGV, 6 do
  local window = tonumber(ARGV[at + 2])
  local digest = ARGV[at + 3]
  local bucket = math.floor(now / window)
  local shard = tonumber(string.sub(digest, -4)) % SHARDS
  local base = KEYS[1] .. ':' .. ARGV[at + 1] .. ':' .. shard .. ':'
  local current = base .. bucket
  local entry = ''
  if redis.call('SISMEMBER', base .. (bucket - 1), digest) == 0
      and redis.call('SISMEMBER', base .. (bucket + 1), digest) == 0
      and redis.call('SADD', current, digest) == 1 then
    if redis.call('SCARD', current) == 1 then
      redis.call('EXPIRE', current, window * 2)
    end
    entry = redis.pcall('XADD', KEYS[1 + marks + tonumber(ARGV[at])], '*',
      'source', ARGV[at + 1], 'type', ARGV[at + 4], 'event', ARGV[at + 5])
    if type(entry) == 'table' then  -- refused: what was not added is not remembered either
      redis.call('SREM', current, digest)
      return entry
    end
  end
  entries[#entries + 1] = entry
end

for mark = 1, marks do
  redis.call('SET', KEYS[1 + mark], ARGV[2 * mark + 1], 'EX', MARK_SECONDS)
end

return entries
