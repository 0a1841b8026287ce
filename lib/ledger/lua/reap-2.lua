#!lua flags=allow-oom
-- Ends holds whose lease has lapsed, each charged whole: its worker may still be generating.
--
-- KEYS   1 life   2 lapse   (holds, leases, budgets and events of the same slot are derived)
-- ARGV   1 claim of the owner   2 most holds
-- Reply  {"ok", now, holds ended} | {"owner", now} | {"life", now}
local now = now_ms()
local life = redis.call("HMGET", KEYS[1], "id", "run", "ready", "owner")
if life[4] ~= ARGV[1] then return { "owner", now } end
if life[3] ~= "1" or not is_this_run(life[2]) then return { "life", now } end
local prefix = prefix_of(KEYS[1])
local ended = 0
for _, id in ipairs(redis.call("ZRANGE", KEYS[2], "-inf", now, "BYSCORE", "LIMIT", 0, ARGV[2])) do
  if reap_one(prefix, life[1], id, true) then ended = ended + 1 end
end
return { "ok", now, ended }
