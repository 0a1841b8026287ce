#!lua flags=no-writes
-- How long a request would have to wait for the limits of a minute. Changes nothing.
--
-- KEYS   1 requests of key   2 of tenant   3 tokens of key   4 of tenant
-- ARGV   1 tokens that it needs   2 requests a minute of key   3 of tenant
--        4 tokens a minute of key   5 of tenant   A limit that is not set is empty.
-- Reply  {"ok", now, waits}: ms for each key; 0 passes
local now = now_ms()
local waits = {}
for place = 1, 4 do
  local limit = tonumber(ARGV[1 + place])
  local need = place <= 2 and 1 or tonumber(ARGV[1])
  waits[place] = 0
  if limit then
    local window = read_window(KEYS[place], now)
    if window.sum + need > limit then waits[place] = wait_for(window, now, need, limit) end
  end
end
return { "ok", now, waits }
