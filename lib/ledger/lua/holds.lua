-- A hold is a hash of few fields, since every request makes one and drops it:
--   state    live or reaped
--   inc      incarnation of its worker
--   owners   key and tenant
--   sizes    held, admitted at, counted in the tokens of a minute, and the seconds of its buckets:
--            requests of key, of tenant, tokens of key, of tenant; 0 where it is in none
--   row      what the audit row needs if its worker is never heard of again (JSON)
--   prompt, completion   the progress told last, if any
--   charge, fills        once it is reaped: what it cost, and how often the budgets of its key and of
--                        its tenant had been filled
-- A settled one is but a string, so that a repeated settlement is known for a minute.

local function read_hold(hold_key, ...)
  local hold = redis.pcall("HMGET", hold_key, ...)
  if not hold.err then return hold end
  if string.find(hold.err, "WRONGTYPE", 1, true) then return { "settled" } end
  return error(hold.err)
end

-- As numbers: held, at, counted, and the four buckets.
local function read_sizes(text)
  local held, at, counted, rk, rt, tk, tt =
    string.match(text, "^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$")
  return tonumber(held), tonumber(at), tonumber(counted),
    tonumber(rk), tonumber(rt), tonumber(tk), tonumber(tt)
end

-- key, tenant
local function read_owners(text)
  return string.match(text, "^(%S+) (%S+)$")
end

local function mark_settled(hold_key)
  redis.call("SET", hold_key, "settled", "PX", 60000)
end
