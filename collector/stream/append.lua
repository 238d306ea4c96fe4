-- Append a group of events to the streams of one partition: the group once, each id once in its window.
--
-- KEYS[1]  prefix of the sets of seen ids; it carries the partition's hash tag, so every key made
--          from it lies in the partition's slot
-- KEYS[2…] one for each writer whose mark the group carries, then the streams of the group
-- ARGV     number of marks; for each mark its first and its last number;
--          to the end, for each run of events of one source and stream: number of the stream, source id,
--          window in seconds, number of events; and for each event the digest of its id (a signed 64-bit
--          number), type, event as JSON
-- Returns  for each event its entry id, or an empty string when its id was seen before; a number
--          when a mark says that the group, or its beginning, is in the stream already: the last
--          number that is
--
-- A writer numbers what it sends. Redis remembers the last number of each, so a group whose answer was
-- lost can be sent again, however late: it is added only if it never arrived, and never twice.
--
-- Ids are kept as numbers in sets of one window each: up to 512 members Redis stores such a set as a
-- sorted array of 8-byte integers. A source's ids are spread over SHARDS sets: more keep each that small for
-- longer, fewer let more ids of a group be looked up in one call. The set of the current window and the one
-- before it cover at least one whole window; the one after it is there when the clock was set back.

local SHARDS = 8
local AT_ONCE = 1000  -- Lua unpacks no more than some thousands
local MARK_SECONDS = 30 * 24 * 3600
local now = tonumber(redis.call('TIME')[1])
local marks = tonumber(ARGV[1])
local sets, ids_of, entries = {}, {}, {}

-- The ids of a source: those seen, those added now, and the sets they may belong to, by a digest's remainder.
local function ids_for(source, window)
  local name = source .. ':' .. window
  if not ids_of[name] then
    local ids = {seen = {}, added = {}}
    for shard = 0, SHARDS - 1 do
      ids[shard] = {
        base = KEYS[1] .. ':' .. source .. ':' .. shard .. ':', window = window,
        bucket = math.floor(now / window), digests = {}, ids = ids,
      }
    end
    ids_of[name] = ids
  end
  return ids_of[name]
end

-- How many of the sets there are of a window: 0 is the current one, -1 the one before, 1 the one after.
local function number_there(window)
  local keys, there = {}, 0
  for number, set in ipairs(sets) do keys[number] = set.base .. (set.bucket + window) end
  for first = 1, #keys, AT_ONCE do
    there = there + redis.call('EXISTS', unpack(keys, first, math.min(first + AT_ONCE - 1, #keys)))
  end
  return there
end

local function look_up(window)
  for _, set in ipairs(sets) do
    for first = 1, #set.digests, AT_ONCE do
      local last = math.min(first + AT_ONCE - 1, #set.digests)
      local key = set.base .. (set.bucket + window)
      for at, there in ipairs(redis.call('SMISMEMBER', key, unpack(set.digests, first, last))) do
        if there == 1 then set.ids.seen[set.digests[first + at - 1]] = true end
      end
    end
  end
end

local function remember()
  local all_there = number_there(0) == #sets
  for _, set in ipairs(sets) do
    local key, fresh = set.base .. set.bucket, {}
    for _, digest in ipairs(set.digests) do
      if set.ids.added[digest] then fresh[#fresh + 1] = digest end
    end
    for first = 1, #fresh, AT_ONCE do
      redis.call('SADD', key, unpack(fresh, first, math.min(first + AT_ONCE - 1, #fresh)))
    end
    if not all_there and #fresh > 0 and redis.call('SCARD', key) == #fresh then
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

local at, runs = 2 + 2 * marks, {}
while at < #ARGV do
  local run = {stream = KEYS[1 + marks + tonumber(ARGV[at])], source = ARGV[at + 1], first = at + 4}
  run.ids = ids_for(run.source, tonumber(ARGV[at + 2]))
  at = run.first + 3 * tonumber(ARGV[at + 3])
  run.last = at - 1
  for event = run.first, run.last, 3 do
    local set = run.ids[tonumber(string.sub(ARGV[event], -3)) % SHARDS]
    if #set.digests == 0 then sets[#sets + 1] = set end
    set.digests[#set.digests + 1] = ARGV[event]
  end
  runs[#runs + 1] = run
end

for window = -1, 1 do
  if number_there(window) > 0 then look_up(window) end
end

for _, run in ipairs(runs) do
  for event = run.first, run.last, 3 do
    local ids, digest, entry = run.ids, ARGV[event], ''
    if not ids.seen[digest] then
      entry = redis.pcall('XADD', run.stream, '*',
        'source', run.source, 'type', ARGV[event + 1], 'event', ARGV[event + 2])
      if type(entry) == 'table' then  -- refused: what was not added is not remembered either
        remember()
        return entry
      end
      ids.seen[digest], ids.added[digest] = true, true
    end
    entries[#entries + 1] = entry
  end
end
remember()

for mark = 1, marks do
  redis.call('SET', KEYS[1 + mark], ARGV[2 * mark + 1], 'EX', MARK_SECONDS)
end

return entries
