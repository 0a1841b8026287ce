-- A scope (a key or a tenant) has up to three counters in one hash: of the UTC day, of the month, and
-- of all time. Each names the life of the shard it was filled in; of another life it does not exist.
-- `fills` of the hash counts how often any of them was filled.

local DAY_MS = 86400000

-- 202611 for a day of November 2026 (days since 1970; the civil calendar, counted from March).
local function month_of(day)
  local z = day + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor(
    (doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365
  )
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local year = yoe + era * 400
  if mp < 10 then return year * 100 + mp + 3 end
  return (year + 1) * 100 + mp - 9
end

-- The names of a moment's counters: life, spent and held of its day, its month and all time.
local function fields_at(ms)
  local number = math.floor(ms / DAY_MS)
  local day, month = "d" .. number, "m" .. month_of(number)
  return {
    day .. ".life", day .. ".spent", day .. ".held",
    month .. ".life", month .. ".spent", month .. ".held",
    "t.life", "t.spent", "t.held",
  }
end

-- Moves every counter that exists, limited or not: a limit may be put on it later.
local function move_read_counters(budget, fields, values, life, held, spent)
  if not life then return end
  local changes, n = {}, 0
  for at = 1, 7, 3 do
    if values[at] == life then
      if spent ~= 0 then
        changes[n + 1], changes[n + 2] = fields[at + 1], values[at + 1] + spent
        n = n + 2
      end
      if held ~= 0 then
        changes[n + 1], changes[n + 2] = fields[at + 2], values[at + 2] + held
        n = n + 2
      end
    end
  end
  if n > 0 then redis.call("HSET", budget, unpack(changes)) end
end

local function move_counters(budget, fields, life, held, spent)
  local values = redis.call("HMGET", budget, unpack(fields))
  move_read_counters(budget, fields, values, life, held, spent)
end
