#!lua flags=no-writes
-- Live holds that nothing will end, since they have no lease, and leases of what is no live hold, some
-- keys at a time. Changes nothing.
--
-- KEYS   1 life   2 lapse   (holds and leases of the same slot are derived)
-- ARGV   1 where to go on; "0" begins
-- Reply  {"ok", now, where to go on ("0" at the end), holds, leases}: ids
local prefix = prefix_of(KEYS[1])
local holds, leases = {}, {}
local function add_leases(key)
  for _, id in ipairs(redis.call("ZRANGE", key, 0, -1)) do
    if read_hold(prefix .. "hold:" .. id, "state")[1] ~= "live" then leases[#leases + 1] = id end
  end
end

if ARGV[1] == "0" then add_leases(KEYS[2]) end
local scan = redis.call("SCAN", ARGV[1], "MATCH", prefix .. "*", "COUNT", 500)
for _, key in ipairs(scan[2]) do
  local kind, id = string.match(string.sub(key, #prefix + 1), "^(%a+):(.*)$")
  if kind == "lease" then add_leases(key) end
  if kind == "hold" and read_hold(key, "state")[1] == "live"
    and not redis.call("ZSCORE", KEYS[2], id) then
    holds[#holds + 1] = id
  end
end
return { "ok", now_ms(), scan[1], holds, leases }
