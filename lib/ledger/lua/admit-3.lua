#!lua
-- Says whether a request may go to an upstream now. All checks come first: a refusal changes nothing.
-- Without allow-oom, so that a Redis at its memory limit admits nobody.
--
-- KEYS   1 events (stream)   2 revoked marker of the key   3 revoked marker of the tenant
-- ARGV   1 deadline, ms of Redis time (0: none)   2 entries that may wait in the stream
-- Reply  {"ok", now ms} | {"late", now ms} | {"revoked"} | {"backlog", entries}
local now = now_ms()
local deadline = tonumber(ARGV[1])
if deadline > 0 and now > deadline then return { "late", now } end

if redis.call("EXISTS", KEYS[2], KEYS[3]) > 0 then return { "revoked" } end

local waiting = redis.call("XLEN", KEYS[1])
if waiting >= tonumber(ARGV[2]) then return { "backlog", waiting } end

return { "ok", now }
