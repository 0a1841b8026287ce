-- A scope (a key or a tenant) has up to three counters in one hash: of the UTC day, of the month, and
-- of all time. Each names the life of the shard it was filled in; of another life it does not exist.

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

-- Names of the day and the month of a moment.
local function periods_at(ms)
  local day = math.floor(ms / DAY_MS)
  return "d" .. day, "m" .. month_of(day)
end

-- life, spent and held of day, month and total, in this order.
local function read_counters(budget, day, month)
  return redis.call("HMGET", budget,
    day .. ".life", day .. ".spent", day .. ".held",
    month .. ".life", month .. ".spent", month .. ".held",
    "t.life", "t.spent", "t.held")
end

-- Moves every counter that exists, limited or not: a limit may be put on it later.
local function move_counters(budget, values, life, day, month, held, spent)
  if not life then return end
  local changes = {}
  local function move(period, at)
    if values[at] ~= life then return end
    local n = #changes
    if spent ~= 0 then
      changes[n + 1], changes[n + 2] = period .. ".spent", values[at + 1] + spent
      n = n + 2
    end
    if held ~= 0 then
      changes[n + 1], changes[n + 2] = period .. ".held", values[at + 2] + held
    end
  end
  move(day, 1)
  move(month, 4)
  move("t", 7)
  if #changes > 0 then redis.call("HSET", budget, unpack(changes)) end
end
