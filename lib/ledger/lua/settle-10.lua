#!lua flags=allow-oom
-- Replaces a hold by what was really used and appends its audit entry, in every state of the shard
-- and at any length of the stream. Repeating it within a minute changes nothing; later, Postgres
-- knows the entry by its id and time of admission.
--
-- KEYS   1 life   2 events   3 lapse   4 hold   5 tokens of key   6 of tenant
--        7 leases of key   8 of tenant   9 budget of key   10 of tenant
-- ARGV   1 id   2 key   3 tenant   4 admitted at, ms   5 tokens charged   6 entry (JSON)
-- Reply  {"settled"} | {"again"}
local hold = read_hold(KEYS[4], "state", "sizes")
local state = hold[1]
if state == "settled" then return { "again" } end

local tokens = tonumber(ARGV[5])
local held = 0
if state then
  local was_held, _, counted, _, _, of_key, of_tenant = read_sizes(hold[2])
  if state == "live" then
    held = -was_held
    redis.call("ZREM", KEYS[3], ARGV[1])
    redis.call("ZREM", KEYS[7], ARGV[1])
    redis.call("ZREM", KEYS[8], ARGV[1])
  end
  if of_key > 0 then lower_window(KEYS[5], of_key, counted - tokens) end
  if of_tenant > 0 then lower_window(KEYS[6], of_tenant, counted - tokens) end
end

local life = redis.call("HGET", KEYS[1], "id")
local fields = fields_at(ARGV[4])
if state == "reaped" then
  correct_charge(KEYS[4], life, fields, tokens, { KEYS[9], KEYS[10] })
else
  move_counters(KEYS[9], fields, life, held, tokens)
  move_counters(KEYS[10], fields, life, held, tokens)
end
append_event(KEYS[2], "entry", ARGV[6], ARGV[2], ARGV[3], ARGV[4], tokens)
mark_settled(KEYS[4])
return { "settled" }
