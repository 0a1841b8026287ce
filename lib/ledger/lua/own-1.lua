#!lua flags=allow-oom
-- A new owner makes its claim: what the last one still sends is refused from now on.
--
-- KEYS   1 life
-- ARGV   1 claim
-- Reply  {"ok", now}
redis.call("HSET", KEYS[1], "owner", ARGV[1])
redis.call("HSETNX", KEYS[1], "ready", 0)
return { "ok", now_ms() }
