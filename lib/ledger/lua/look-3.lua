#!lua flags=no-writes
-- What counters stand at beside what they should add up to, in one moment. Changes nothing.
--
-- KEYS   1 life   2 events   3 lapse   (holds and budgets of the same slot are derived)
-- ARGV   for each counter: scope, period
-- Reply  {"ok", now, life id or "", 1 if that life is of this run of Redis, 1 if it is ready, counters}
--        counters: for each 1 if it exists, spent, held, tokens of it in the stream, tokens of it in
--        live holds, events of it in the stream
local prefix = prefix_of(KEYS[1])
local life = redis.call("HMGET", KEYS[1], "id", "run", "ready")
local wanted = {}
for i = 1, #ARGV, 2 do wanted[ARGV[i] .. "|" .. ARGV[i + 1]] = { stream = 0, live = 0, events = 0 } end
if #ARGV > 0 then add_sums(prefix, wanted) end
local counters = {}
for i = 1, #ARGV, 2 do
  local scope, period = ARGV[i], ARGV[i + 1]
  local sums = wanted[scope .. "|" .. period]
  local was = redis.call("HMGET", prefix .. "budget:" .. scope,
    period .. ".life", period .. ".spent", period .. ".held")
  local exists = life[1] and was[1] == life[1]
  counters[#counters + 1] = {
    exists and 1 or 0, tonumber(was[2]) or 0, tonumber(was[3]) or 0,
    sums.stream, sums.live, sums.events,
  }
end
local current = is_this_run(life[2]) and 1 or 0
return { "ok", now_ms(), life[1] or "", current, life[3] == "1" and 1 or 0, counters }
