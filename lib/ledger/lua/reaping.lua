-- Ends a hold that nobody will settle, as far as one can know: `whole` charges all that was held, else
-- the progress that its worker reported last. A settlement that comes later within the hour corrects it.
local function reap_one(prefix, life, id, whole)
  local hold_key = prefix .. "hold:" .. id
  local hold = read_hold(hold_key, "state", "owners", "sizes", "prompt", "completion", "row")
  redis.call("ZREM", prefix .. "lapse", id)
  if hold[1] ~= "live" then return false end

  local key, tenant = read_owners(hold[2])
  local held, at = read_sizes(hold[3])
  local prompt, completion = tonumber(hold[4]) or 0, tonumber(hold[5]) or 0
  local charge = whole and held or math.min(prompt + completion, held)
  local fields = fields_at(at)
  local fills = {}
  for _, scope in ipairs({ "k:" .. key, "t:" .. tenant }) do
    local budget = prefix .. "budget:" .. scope
    move_counters(budget, fields, life, -held, charge)
    fills[#fills + 1] = redis.call("HGET", budget, "fills") or "0"
    redis.call("ZREM", prefix .. "lease:" .. scope, id)
  end
  append_event(prefix .. "events", "lost", hold[6], key, tenant, at, charge,
    "prompt", prompt, "completion", completion)
  redis.call("HSET", hold_key, "state", "reaped", "charge", charge,
    "fills", table.concat(fills, " "))
  redis.call("PEXPIRE", hold_key, 3600000)
  return true
end
