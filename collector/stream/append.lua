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
-- sorted array of 8-byte integers. A source's ids are spread over SHARDS sets: more keep each that small
-- for longer, fewer let more ids of a group be looked up in one call.
-- The set of the current window and the one before it cover at least one whole window; the one after it
-- is there when the clock was set back.

local SHARDS = 8
local AT_ONCE = 1000  -- Lua unpacks no more than some thousands
local MARK_SECONDS = 30 * 24 * 3600
local now = tonumber(redis.call('TIME')[1])
local marks = tonumber(ARGV[1])
local first_event = 2 + 2 * marks
local sets, set_of, entries = {}, {}, {}

-- The set that an event's id belongs to, with the ids of the group that do.
local function set_for(source, window, digest)
  local shard = tonumber(string.sub(digest, -3)) % SHARDS
  local name = source .. ':' .. shard .. ':' .. window
  if not sets[name] then
    local base = KEYS[1] .. ':' .. source .. ':' .. shard .. ':'
    sets[name] = {
      base = base, bucket = math.floor(now / window), window = window, digests = {}, seen = {}, fresh = {},
    }
  end
  return sets[name]
end

local function look_up(set, key)
  for first = 1, #set.digests, AT_ONCE do
    local last = math.min(first + AT_ONCE - 1, #set.digests)
    for at, there in ipairs(redis.call('SMISMEMBER', key, unpack(set.digests, first, last))) do
      if there == 1 then set.seen[set.digests[first + at - 1]] = true end
    end
  end
end

local function remember()
  for _, set in pairs(sets) do
    local key, fresh = set.base .. set.bucket, set.fresh
    for first = 1, #fresh, AT_ONCE do
      redis.call('SADD', key, unpack(fresh, first, math.min(first + AT_ONCE - 1, #fresh)))
    end
    if #fresh > 0 and redis.call('SCARD', key) == #fresh then
      redis.call('EXPIRE', key, set.window * 2)
    end
  end
end

for mark = 1, marks do
  local last = tonumber(redis.call('GET', KEYS[1 + mark]) or 0)
  if last >= tonumber(ARGV[2 * mark]) then
    -- A write, so that WAIT behind it waits until replicas have what came before it: the group too.
    redis.call('EXPIRE', KEYS[1 + mark], MARK_SECONDS)
    return last
  end
end

for at = first_event, #ARGV, 6 do
  local set = set_for(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
  set.digests[#set.digests + 1] = ARGV[at + 3]
  set_of[at] = set
end
for _, set in pairs(sets) do
  for bucket = set.bucket - 1, set.bucket + 1 do
    look_up(set, set.base .. bucket)
  end
end

for at = first_event, #ARGV, 6 do
  local set, digest, entry = set_of[at], ARGV[at + 3], ''
  if not set.seen[digest] then
    entry = redis.pcall('XADD', KEYS[1 + marks + tonumber(ARGV[at])], '*',
      'source', ARGV[at + 1], 'type', ARGV[at + 4], 'event', ARGV[at + 5])
    if type(entry) == 'table' then  -- refused: what was not added is not remembered either
      remember()
      return entry
    end
    set.seen[digest] = true
    set.fresh[#set.fresh + 1] = digest
  end
  entries[#entries + 1] = entry
end
remember()

for mark = 1, marks do
  redis.call('SET', KEYS[1 + mark], ARGV[2 * mark + 1], 'EX', MARK_SECONDS)
end

return entries
