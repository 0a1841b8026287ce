#!lua flags=no-writes
-- What counters stand at beside what they should add up to, in one moment. Changes nothing.
--
-- KEYS   1 life   2 events   3 lapse   (holds and budgets of the same slot are derived)
-- ARGV   for each counter: scope, period
-- Reply  {"ok", now, counters}: for each counter 1 if it exists, spent, held, tokens of it in the
--        stream, tokens of it in live holds
local prefix = prefix_of(KEYS[1])
local life = redis.call("HGET", KEYS[1], "id")
local wanted = {}
for i = 1, #ARGV, 2 do wanted[ARGV[i] .. "|" .. ARGV[i + 1]] = { stream = 0, live = 0 } end
add_sums(prefix, wanted)
local counters = {}
for i = 1, #ARGV, 2 do
  local scope, period = ARGV[i], ARGV[i + 1]
  local sums = wanted[scope .. "|" .. period]
  local was = redis.call("HMGET", prefix .. "budget:" .. scope,
    period .. ".life", period .. ".spent", period .. ".held")
  local exists = life and was[1] == life
  counters[#counters + 1] = {
    exists and 1 or 0, tonumber(was[2]) or 0, tonumber(was[3]) or 0, sums.stream, sums.live,
  }
end
return { "ok", now_ms(), counters }
