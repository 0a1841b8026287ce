-- Ends a hold that nobody will settle, as far as one can know: `whole` charges all that was held, else
-- the progress that its worker reported last. A settlement that comes later within the hour corrects it.
local function reap_one(prefix, life, id, whole)
  local hold_key = prefix .. "hold:" .. id
  local hold = redis.call("HMGET", hold_key,
    "state", "key", "tenant", "held", "at", "prompt", "completion", "row")
  redis.call("ZREM", prefix .. "lapse", id)
  if hold[1] ~= "live" then return false end

  local key, tenant, held, at = hold[2], hold[3], hold[4], hold[5]
  local prompt, completion = tonumber(hold[6]), tonumber(hold[7])
  local charge = whole and tonumber(held) or math.min(prompt + completion, tonumber(held))
  local day, month = periods_at(at)
  for _, scope in ipairs({ "k:" .. key, "t:" .. tenant }) do
    local budget = prefix .. "budget:" .. scope
    move_counters(budget, read_counters(budget, day, month), life, day, month, -held, charge)
    redis.call("ZREM", prefix .. "lease:" .. scope, id)
  end
  append_event(prefix .. "events", "lost", hold[8], key, tenant, at, charge, prompt, completion)
  redis.call("HSET", hold_key, "state", "reaped", "charge", charge)
  redis.call("PEXPIRE", hold_key, 3600000)
  return true
end
