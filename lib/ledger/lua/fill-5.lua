#!lua flags=allow-oom
-- Writes counters: spent = what the ledger had when it was read after a drain + what is in the stream
-- now (an entry that is in both counts twice until the next comparison, never not at all), held = the
-- live holds. `compare` writes only those that exist and tells what was wrong.
--
-- KEYS   1 life   2 events   3 lapse   4 fills   5 scopes
--        (holds and budgets of the same slot are derived)
-- ARGV   1 claim   2 life id   3 "fill" or "compare"
--        then for each counter: scope, period, tokens in the ledger
-- Reply  {"ok", now, drifts} | {"owner", now} | {"life", now}
--        drifts: for each counter that was wrong its scope, period, error of spent, error of held
-- Beyond any period that begins when it is filled. A comparison prolongs nothing: what nobody fills any
-- more, nobody uses.
local TTL_MS = 40 * DAY_MS
local KEPT_DAYS = 7

-- Counters of periods long over leave the hash, which would grow by the day.
local function prune(budget, today)
  local old = {}
  for _, field in ipairs(redis.call("HKEYS", budget)) do
    local letter, number = string.match(field, "^([dm])(%d+)%.")
    number = tonumber(number)
    if letter == "d" and number < today - KEPT_DAYS then old[#old + 1] = field end
    if letter == "m" and number < month_of(today - 31 - KEPT_DAYS) then old[#old + 1] = field end
  end
  if #old > 0 then redis.call("HDEL", budget, unpack(old)) end
end

local now = now_ms()
local life = redis.call("HMGET", KEYS[1], "id", "run", "ready", "owner")
if life[4] ~= ARGV[1] then return { "owner", now } end
if life[1] ~= ARGV[2] or life[3] ~= "1" or not is_this_run(life[2]) then return { "life", now } end

local prefix = prefix_of(KEYS[1])
local wanted = {}
for i = 4, #ARGV, 3 do wanted[ARGV[i] .. "|" .. ARGV[i + 1]] = { stream = 0, live = 0 } end
add_sums(prefix, wanted)

local today = math.floor(now / DAY_MS)
local drifts = {}
for i = 4, #ARGV, 3 do
  local scope, period = ARGV[i], ARGV[i + 1]
  local name = scope .. "|" .. period
  local sums = wanted[name]
  local budget = prefix .. "budget:" .. scope
  local was = redis.call("HMGET", budget, period .. ".life", period .. ".spent", period .. ".held")
  local exists = was[1] == life[1]
  local spent, held = ARGV[i + 2] + sums.stream, sums.live
  if exists and (was[2] - spent ~= 0 or was[3] - held ~= 0) then
    for _, part in ipairs({ scope, period, was[2] - spent, was[3] - held }) do
      drifts[#drifts + 1] = part
    end
  end
  if exists or ARGV[3] == "fill" then
    prune(budget, today)
    redis.call("HSET", budget,
      period .. ".life", life[1], period .. ".spent", spent, period .. ".held", held)
    redis.call("HINCRBY", budget, "fills", 1)
    redis.call("SREM", KEYS[4], name)
  end
  if ARGV[3] == "fill" then
    redis.call("SADD", KEYS[5], scope)
    redis.call("PEXPIRE", budget, TTL_MS)
    redis.call("PEXPIRE", KEYS[5], TTL_MS)
  end
end
return { "ok", now, drifts }
