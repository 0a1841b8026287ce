#!lua flags=allow-oom
-- Lets admissions begin: every worker has had the time to hold again what it runs.
--
-- KEYS   1 life
-- ARGV   1 claim   2 life id
-- Reply  {"ok", now} | {"owner", now} | {"life", now}
local now = now_ms()
local life = redis.call("HMGET", KEYS[1], "id", "run", "owner")
if life[3] ~= ARGV[1] then return { "owner", now } end
if life[1] ~= ARGV[2] or not is_this_run(life[2]) then return { "life", now } end
redis.call("HSET", KEYS[1], "ready", 1)
return { "ok", now }
