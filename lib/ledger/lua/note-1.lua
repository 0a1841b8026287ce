#!lua flags=allow-oom
-- Appends the audit entry of a refusal, which costs nothing. Repeating it appends again: Postgres
-- knows the entry by its id and time.
--
-- KEYS   1 events
-- ARGV   1 key   2 tenant   3 refused at, ms   4 entry (JSON)
-- Reply  {"ok", now}
append_event(KEYS[1], "entry", ARGV[4], ARGV[1], ARGV[2], ARGV[3], 0)
return { "ok", now_ms() }
