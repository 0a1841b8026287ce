#!lua flags=allow-oom
-- Takes back an admission whose answer nobody waited for: its client was told 503, so it costs
-- nothing. Not before its deadline: until then the admission itself may still arrive.
--
-- KEYS   1 life   2 events   3 lapse   4 hold   5 requests of key   6 of tenant
--        7 tokens of key   8 of tenant   9 leases of key   10 of tenant
--        11 budget of key   12 of tenant
-- ARGV   1 id   2 deadline, ms of Redis time
-- Reply  {"early" | "done", now}
local now = now_ms()
if now <= tonumber(ARGV[2]) then return { "early", now } end

local hold = read_hold(KEYS[4], "state", "owners", "sizes", "row")
local state = hold[1]
if state ~= "live" and state ~= "reaped" then return { "done", now } end

local key, tenant = read_owners(hold[2])
local held, at, counted, rk, rt, tk, tt = read_sizes(hold[3])
local life = redis.call("HGET", KEYS[1], "id")
local fields = fields_at(at)
if state == "reaped" then
  correct_charge(KEYS[4], life, fields, 0, { KEYS[11], KEYS[12] })
  append_event(KEYS[2], "refused", hold[4], key, tenant, at, 0)
  mark_settled(KEYS[4])
  return { "done", now }
end
move_counters(KEYS[11], fields, life, -held, 0)
move_counters(KEYS[12], fields, life, -held, 0)
redis.call("ZREM", KEYS[3], ARGV[1])
redis.call("ZREM", KEYS[9], ARGV[1])
redis.call("ZREM", KEYS[10], ARGV[1])
if rk > 0 then lower_window(KEYS[5], rk, 1) end
if rt > 0 then lower_window(KEYS[6], rt, 1) end
if tk > 0 then lower_window(KEYS[7], tk, counted) end
if tt > 0 then lower_window(KEYS[8], tt, counted) end
redis.call("DEL", KEYS[4])
return { "done", now }
