#!lua flags=allow-oom
-- Makes live holds of running requests that Redis has lost. Limits are not tested: they run.
--
-- KEYS   1 life   2 lapse   (holds, leases and budgets of the same slot are derived)
-- ARGV   1 lease, ms   then for each hold: id, incarnation, key, tenant, admitted at, held, counted,
--        prompt tokens, completion tokens so far, facts (JSON)
-- Reply  {"ok", now}
local now = now_ms()
local prefix = prefix_of(KEYS[1])
local lapse = now + ARGV[1]
local life = redis.call("HGET", KEYS[1], "id")
for i = 2, #ARGV, 10 do
  local id, key, tenant, at, held = ARGV[i], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5]
  local hold_key = prefix .. "hold:" .. id
  local state = read_hold(hold_key, "state")[1]
  if not state then
    redis.call("HSET", hold_key, "state", "live", "inc", ARGV[i + 1],
      "owners", key .. " " .. tenant,
      "sizes", held .. " " .. at .. " " .. ARGV[i + 6] .. " 0 0 0 0",
      "prompt", ARGV[i + 7], "completion", ARGV[i + 8], "row", ARGV[i + 9])
    local fields = fields_at(at)
    for _, scope in ipairs({ "k:" .. key, "t:" .. tenant }) do
      move_counters(prefix .. "budget:" .. scope, fields, life, tonumber(held), 0)
    end
  end
  if not state or state == "live" then
    redis.call("ZADD", KEYS[2], lapse, id)
    redis.call("ZADD", prefix .. "lease:k:" .. key, lapse, id)
    redis.call("ZADD", prefix .. "lease:t:" .. tenant, lapse, id)
  end
end
return { "ok", now }
