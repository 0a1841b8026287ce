#!lua flags=allow-oom
-- Appends the audit entry of a refusal, which costs nothing; but not where so many entries wait for
-- Postgres already, since nothing limits refusals. Repeating it appends again: Postgres knows the entry
-- by its id and time.
--
-- KEYS   1 events
-- ARGV   1 key   2 tenant   3 refused at, ms   4 entry (JSON)   5 most that may wait
-- Reply  {"ok" | "full", now}
if redis.call("XLEN", KEYS[1]) >= tonumber(ARGV[5]) then return { "full", now_ms() } end
append_event(KEYS[1], "entry", ARGV[4], ARGV[1], ARGV[2], ARGV[3], 0)
return { "ok", now_ms() }
