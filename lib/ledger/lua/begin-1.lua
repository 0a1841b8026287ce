#!lua flags=allow-oom
-- Begins a new life of the shard, after Redis started again or lost its data. Every counter of
-- another life is gone with it, and nothing is admitted before `ready`.
--
-- KEYS   1 life
-- ARGV   1 claim   2 id of the new life
-- Reply  {"ok", now} | {"owner", now}
local now = now_ms()
if redis.call("HGET", KEYS[1], "owner") ~= ARGV[1] then return { "owner", now } end
redis.call("HSET", KEYS[1], "id", ARGV[2], "run", run_id(), "ready", 0)
return { "ok", now }
