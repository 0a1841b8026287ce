#!lua flags=allow-oom
-- Ends the holds of a worker that was seen to exit, each charged with the progress it told last. Any
-- primary may ask, in every state of the shard: nobody else will ever speak for that worker.
--
-- KEYS   1 life   2 lapse   (holds, leases, budgets and events of the same slot are derived)
-- ARGV   1 incarnation   2 most holds
-- Reply  {"ok", now, holds ended}
local life = redis.call("HGET", KEYS[1], "id")
local prefix = prefix_of(KEYS[1])
local ended = 0
for _, id in ipairs(redis.call("ZRANGE", KEYS[2], 0, -1)) do
  if ended >= tonumber(ARGV[2]) then break end
  if read_hold(prefix .. "hold:" .. id, "inc")[1] == ARGV[1] then
    if reap_one(prefix, life, id, false) then ended = ended + 1 end
  end
end
return { "ok", now_ms(), ended }
