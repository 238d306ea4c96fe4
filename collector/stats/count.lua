-- Add the sums of one source for one moment, once.
--
-- KEYS[1]  prefix of the source's numbers; it carries a hash tag, so every key made from it lies in one slot
-- ARGV[1]  JSON: writer, number, now (seconds since 1970), counts {metric: n}, tops [[dimension, value, n]],
--          visitors [id]
-- Returns  1, or 0 when this writer's number was added before: what was sent again after a lost answer
--
-- When the last event came is kept by itself.
-- Counts are hashes: of minutes (one hash an hour), of hours (one a day), of days (one for a hundred).
-- Tops are sorted sets of MOST values each, and visitors are HyperLogLogs, of ten minutes, hours and days.
-- A full set makes room by Space-Saving (Metwally, Agrawal, El Abbadi 2005): the least value gives way to the
-- new one, which takes over its count. What makes up more than 1 in MOST is then always there, and no count
-- is too low.

local MOST = 200
local HOUR, DAY = 3600, 86400
local COUNTS = {{60, HOUR, 2 * HOUR + 600}, {HOUR, DAY, 9 * DAY}, {DAY, 100 * DAY, 500 * DAY}}
local SPANS = {{600, 2 * HOUR}, {HOUR, 26 * HOUR}, {DAY, 9 * DAY}}
local AT_ONCE = 1000

local told = cjson.decode(ARGV[1])
local prefix = KEYS[1]
local writer = prefix .. ':writer:' .. told.writer
if tonumber(redis.call('GET', writer) or 0) >= told.number then return 0 end
redis.call('SET', writer, told.number, 'EX', DAY)

local function bump(key, value, n, ttl)
  local size = redis.call('ZCARD', key)
  if size >= MOST and not redis.call('ZSCORE', key, value) then
    n = n + tonumber(redis.call('ZPOPMIN', key)[2])
  end
  redis.call('ZINCRBY', key, n, value)
  if size == 0 then redis.call('EXPIRE', key, ttl) end
end

if told.counts.events then
  redis.call('SET', prefix .. ':last', told.now, 'EX', 500 * DAY)
end

for _, level in ipairs(COUNTS) do
  local key = string.format('%s:counts:%d:%d', prefix, level[1], math.floor(told.now / level[2]))
  local field = string.format('%d:', math.floor(told.now / level[1]))
  for metric, n in pairs(told.counts) do
    redis.call('HINCRBY', key, field .. metric, n)
  end
  redis.call('EXPIRE', key, level[3])
end

for _, span in ipairs(SPANS) do
  local bucket = math.floor(told.now / span[1])
  for _, each in ipairs(told.tops) do
    bump(string.format('%s:top:%d:%d:%s', prefix, span[1], bucket, each[1]), each[2], each[3], span[2])
  end
  if #told.visitors > 0 then
    local key = string.format('%s:visitors:%d:%d', prefix, span[1], bucket)
    for at = 1, #told.visitors, AT_ONCE do
      redis.call('PFADD', key, unpack(told.visitors, at, math.min(at + AT_ONCE - 1, #told.visitors)))
    end
    redis.call('EXPIRE', key, span[2])
  end
end

return 1
