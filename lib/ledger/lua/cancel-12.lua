#!lua flags=allow-oom
-- Takes back an admission whose answer nobody waited for: its client was told 503, so it costs
-- nothing. Not before its deadline: until then the admission itself may still arrive.
--
-- KEYS   1 life   2 events   3 lapse   4 hold   5 leases of key   6 of tenant
--        7 requests of key   8 of tenant   9 tokens of key   10 of tenant
--        11 budget of key   12 of tenant
-- ARGV   1 id   2 deadline, ms of Redis time
-- Reply  {"early" | "done", now}
local now = now_ms()
if now <= tonumber(ARGV[2]) then return { "early", now } end

local hold = redis.call("HMGET", KEYS[4],
  "state", "held", "charge", "counted", "buckets", "at", "key", "tenant", "row")
local state = hold[1]
if state ~= "live" and state ~= "reaped" then return { "done", now } end

local held = state == "live" and -hold[2] or 0
local spent = state == "reaped" and -hold[3] or 0
local life = redis.call("HGET", KEYS[1], "id")
local day, month = periods_at(hold[6])
move_counters(KEYS[11], read_counters(KEYS[11], day, month), life, day, month, held, spent)
move_counters(KEYS[12], read_counters(KEYS[12], day, month), life, day, month, held, spent)

if state == "reaped" then
  append_event(KEYS[2], "refused", hold[9], hold[7], hold[8], hold[6], 0)
  mark_settled(KEYS[4], true)
  return { "done", now }
end
redis.call("ZREM", KEYS[3], ARGV[1])
redis.call("ZREM", KEYS[5], ARGV[1])
redis.call("ZREM", KEYS[6], ARGV[1])
local rk, rt, tk, tt = read_buckets(hold[5])
if rk > 0 then lower_window(KEYS[7], rk, 1) end
if rt > 0 then lower_window(KEYS[8], rt, 1) end
if tk > 0 then lower_window(KEYS[9], tk, tonumber(hold[4])) end
if tt > 0 then lower_window(KEYS[10], tt, tonumber(hold[4])) end
redis.call("DEL", KEYS[4])
return { "done", now }
