-- Stands before every script, so that all of them know one clock: Redis's own, in milliseconds.
local function now_ms()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
