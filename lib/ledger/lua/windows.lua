-- A sliding window of 60 s in buckets of one second: 61 slots of a hash, the second of the newest
-- (`at`) and the sum of all that count. The 60 whole seconds before the newest are counted whole, so
-- that an error is always towards refusing.

local SLOTS = 61

-- What the window holds now. Changes nothing; a clock set back goes on with the newest bucket.
local function read_window(key, now)
  local second = math.floor(now / 1000)
  local slot = second % SLOTS
  local head = redis.call("HMGET", key, "at", "sum", slot)
  local at = tonumber(head[1])
  if not at or second - at >= SLOTS then
    return { key = key, at = second, was = second - SLOTS, slot = slot, sum = 0, bucket = 0, new = true }
  end
  if second == at then
    return { key = key, at = at, was = at, slot = slot, sum = tonumber(head[2]), bucket = head[3] or 0 }
  end
  if second < at then
    slot = at % SLOTS
    local bucket = redis.call("HGET", key, slot) or 0
    return { key = key, at = at, was = at, slot = slot, sum = tonumber(head[2]), bucket = bucket }
  end

  local passed = {}
  for s = at + 1, second do passed[#passed + 1] = s % SLOTS end
  local values = redis.call("HMGET", key, unpack(passed))
  local sum, stale = tonumber(head[2]), {}
  for i = 1, #passed do
    if values[i] then
      sum = sum - values[i]
      stale[#stale + 1] = passed[i]
    end
  end
  return { key = key, at = second, was = at, slot = slot, sum = sum, bucket = 0, stale = stale }
end

local function write_window(window, weight)
  if window.new then
    redis.call("DEL", window.key)
  elseif window.stale and #window.stale > 0 then
    redis.call("HDEL", window.key, unpack(window.stale))
  end
  local sum, bucket = window.sum + weight, window.bucket + weight
  if window.at == window.was then
    redis.call("HSET", window.key, "sum", sum, window.slot, bucket)
  else
    redis.call("HSET", window.key, "at", window.at, "sum", sum, window.slot, bucket)
    redis.call("PEXPIRE", window.key, (SLOTS + 1) * 1000)
  end
end

-- Milliseconds until `need` fits below the limit, if nobody else takes anything.
local function wait_for(window, now, need, limit)
  local excess = window.sum + need - limit
  local oldest = window.at - SLOTS + 1
  local slots = {}
  for s = oldest, window.was do slots[#slots + 1] = s % SLOTS end
  local values = #slots > 0 and redis.call("HMGET", window.key, unpack(slots)) or {}
  for i = 1, #slots do
    if values[i] then
      excess = excess - values[i]
      if excess <= 0 then return (oldest + i - 1 + SLOTS) * 1000 - now end
    end
  end
  return SLOTS * 1000
end

-- Takes back from the bucket of `second` while it is in the window, never below zero.
local function lower_window(key, second, less)
  if less <= 0 then return end
  local slot = second % SLOTS
  local head = redis.call("HMGET", key, "at", "sum", slot)
  local at = tonumber(head[1])
  if not at or at < second or at - second >= SLOTS or not head[3] then return end
  less = math.min(less, tonumber(head[3]))
  redis.call("HSET", key, "sum", head[2] - less, slot, head[3] - less)
end
