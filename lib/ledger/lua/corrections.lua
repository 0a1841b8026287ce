-- Moves the counters of key and tenant from the charge of a reaped hold to what it truly cost. Nothing
-- is taken from a budget that was filled since: Postgres may have refused the loss, knowing the end
-- from before Redis was rolled back, and what was filled then never had that charge.
local function correct_charge(hold_key, life, fields, tokens, budgets)
  local hold = redis.call("HMGET", hold_key, "charge", "fills")
  local fills = { string.match(hold[2] or "", "^(%d+) (%d+)$") }
  for scope, budget in ipairs(budgets) do
    local spent = tokens - hold[1]
    local since = redis.call("HGET", budget, "fills") or "0"
    if spent < 0 and since ~= fills[scope] then spent = 0 end
    move_counters(budget, fields, life, 0, spent)
  end
end
