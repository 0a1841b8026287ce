#!lua flags=allow-oom
-- Keeps the holds of running requests from lapsing and notes how far each has come. Says which life
-- the shard is in, so that a worker sees a loss, and which holds Redis does not know any more.
--
-- KEYS   1 life   2 lapse   (holds and leases of the same slot are derived)
-- ARGV   1 lease, ms   then for each hold: id, prompt tokens, completion tokens so far
-- Reply  {"ok", now, life id or "", 1 if that life is of this run of Redis, unknown ids}
local now = now_ms()
local prefix = prefix_of(KEYS[1])
local lapse = now + ARGV[1]
local unknown = {}
for i = 2, #ARGV, 3 do
  local id = ARGV[i]
  local hold_key = prefix .. "hold:" .. id
  local hold = read_hold(hold_key, "state", "owners", "prompt", "completion")
  if not hold[1] then
    unknown[#unknown + 1] = id
  elseif hold[1] == "live" then
    redis.call("ZADD", KEYS[2], lapse, id)
    local key, tenant = read_owners(hold[2])
    redis.call("ZADD", prefix .. "lease:k:" .. key, lapse, id)
    redis.call("ZADD", prefix .. "lease:t:" .. tenant, lapse, id)
    redis.call("HSET", hold_key, "prompt", math.max(hold[3] or 0, ARGV[i + 1]),
      "completion", math.max(hold[4] or 0, ARGV[i + 2]))
  end
end
local life = redis.call("HMGET", KEYS[1], "id", "run")
return { "ok", now, life[1] or "", is_this_run(life[2]) and 1 or 0, unknown }
