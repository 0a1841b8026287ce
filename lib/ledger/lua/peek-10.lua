#!lua flags=allow-oom
-- What a caller has used of its limits and what is held. Changes nothing but the list of counters
-- that must be filled.
--
-- KEYS   1 life   2 fills   3 requests of key   4 of tenant   5 tokens of key   6 of tenant
--        7 leases of key   8 of tenant   9 budget of key   10 of tenant
-- ARGV   1 key   2 tenant   3 letter of the period (d, m, t) of the budget of key   4 of tenant;
--        empty without a budget
-- Reply  {"life", now} | {"fill", now}
--        {"ok", now, requests, requests, tokens, tokens, running, running, spent, held, spent, held}
--        of key and tenant in turn; spent and held are nil without a budget
local now = now_ms()
local life = redis.call("HMGET", KEYS[1], "id", "run", "ready")
if life[3] ~= "1" or not is_this_run(life[2]) then return { "life", now } end

local PLACES = { d = 1, m = 4, t = 7 }
local fields = fields_at(now)
local result = { "ok", now }
for place = 1, 4 do result[2 + place] = read_window(KEYS[2 + place], now).sum end
for scope = 1, 2 do
  result[6 + scope] = redis.call("ZCOUNT", KEYS[6 + scope], "(" .. now, "+inf")
end
for scope = 1, 2 do
  local place = PLACES[ARGV[2 + scope]]
  local spent, held = false, false
  if place then
    local values = redis.call("HMGET", KEYS[8 + scope], unpack(fields, place, place + 2))
    if values[1] ~= life[1] then
      local period = string.match(fields[place], "^[^.]+")
      redis.call("SADD", KEYS[2], (scope == 1 and "k:" or "t:") .. ARGV[scope] .. "|" .. period)
      result[1] = "fill"
    else
      spent, held = tonumber(values[2]), tonumber(values[3])
    end
  end
  result[7 + 2 * scope], result[8 + 2 * scope] = spent, held
end
if result[1] == "fill" then return { "fill", now } end
return result
