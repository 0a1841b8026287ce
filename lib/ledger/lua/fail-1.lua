#!lua
-- Limits failures of one client address by the generic cell rate algorithm: the key holds the time
-- at which all failures so far are worked off. At most twice the burst is ever remembered, so that
-- attempts that ran side by side are paid for, yet no address is shut out for long.
--
-- KEYS   1 time at which the address is clean again (string, ms; lives as long)
-- ARGV   1 "check" (changes nothing) or "fail" (counts one)   2 failures a minute   3 burst
-- Reply  {"pass"} | {"wait", ms until one more may pass}
local now = now_ms()
local interval = 60000 / tonumber(ARGV[2])
local room = tonumber(ARGV[3]) * interval
local clean = math.max(now, tonumber(redis.call("GET", KEYS[1]) or 0))

if ARGV[1] == "fail" then
  clean = math.ceil(math.min(clean + interval, now + 2 * room))
  redis.call("SET", KEYS[1], string.format("%.0f", clean), "PX", string.format("%.0f", clean - now))
end

local wait = math.ceil(clean + interval - now - room)
if wait > 0 then return { "wait", wait } end
return { "pass" }
