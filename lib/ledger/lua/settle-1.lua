#!lua flags=allow-oom
-- Appends what became of a request to the shard's stream, whatever the stream's length and Redis's
-- memory. Repeating it appends again: Postgres knows the entry by its id and time of admission.
--
-- KEYS   1 events (stream)
-- ARGV   1 entry (JSON)
-- Reply  {"ok", now ms}
redis.call("XADD", KEYS[1], "*", "entry", ARGV[1])
return { "ok", now_ms() }
