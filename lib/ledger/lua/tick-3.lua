#!lua flags=allow-oom
-- What the owner of a shard looks at, several times a second.
--
-- KEYS   1 life   2 fills   3 events
-- ARGV   1 claim   2 most names of counters to fill
-- Reply  {"ok" or, of another claim, "owner", now, life id or "", ready,
--         1 if that life is of this run of Redis, events, fills}
local life = redis.call("HMGET", KEYS[1], "id", "run", "ready", "owner")
return {
  life[4] == ARGV[1] and "ok" or "owner", now_ms(),
  life[1] or "", tonumber(life[3] or 0), is_this_run(life[2]) and 1 or 0,
  redis.call("XLEN", KEYS[3]), redis.call("SRANDMEMBER", KEYS[2], ARGV[2]),
}
