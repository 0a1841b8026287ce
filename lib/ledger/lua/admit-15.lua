#!lua
-- Says whether a request may go to an upstream now, and with how many tokens of output; then holds
-- all it could use. Key and tenant are decided together. All checks come first: a refusal changes
-- nothing but the list of counters that must be filled. Without allow-oom, so that a Redis at its
-- memory limit admits nobody.
--
-- KEYS   1 life   2 events   3 fills   4 lapse   5 hold   6 revoked key   7 revoked tenant
--        8 requests of key   9 of tenant   10 tokens of key   11 of tenant
--        12 leases of key   13 of tenant   14 budget of key   15 of tenant
-- ARGV   1 deadline, ms of Redis time   2 id   3 incarnation   4 key   5 tenant   6 facts (JSON)
--        7 lease, ms   8 most events that may wait   9 tokens of the prompt, estimated
--        10 tokens of output asked   11 least of them   12 bound of the prompt
--        13 requests a minute of key   14 of tenant   15 tokens a minute of key   16 of tenant
--        17 concurrency of key   18 of tenant
--        19 budget of key   20 its period's letter (d, m, t)   21 budget of tenant   22 its letter
--        A limit that is not set is empty.
-- Reply  {"late", now} | {"life", now} | {"revoked", now} | {"fill", now}
--        {"ok", now, granted, held, usage} | {"no", now, usage, verdicts}
--        usage: requests of key, of tenant, tokens of key, of tenant; spent and held of the budget of
--        key, of tenant; nil without that limit.
--        verdicts: ms to wait for requests of key, of tenant, for tokens of key, of tenant;
--        1 where no slot is free of key, of tenant; 1 where holds are in the way of the budget of key,
--        of tenant, 2 where it is spent; 1 where too many events wait. 0 passes.
local now = now_ms()
if now > tonumber(ARGV[1]) then return { "late", now } end

local life = redis.call("HMGET", KEYS[1], "id", "run", "ready")
if life[3] ~= "1" or not is_this_run(life[2]) then return { "life", now } end
if redis.call("EXISTS", KEYS[6], KEYS[7]) > 0 then return { "revoked", now } end

local PLACES = { d = 1, m = 4, t = 7 }
local fields = fields_at(now)
local counters, limits, spent, held = {}, {}, {}, {}
local missing = {}
for scope = 1, 2 do
  local values = redis.call("HMGET", KEYS[13 + scope], unpack(fields))
  counters[scope] = values
  limits[scope] = tonumber(ARGV[17 + 2 * scope])
  spent[scope], held[scope] = false, false
  if limits[scope] then
    local place = PLACES[ARGV[18 + 2 * scope]]
    if values[place] == life[1] then
      spent[scope], held[scope] = tonumber(values[place + 1]), tonumber(values[place + 2])
    else
      missing[#missing + 1] = (scope == 1 and "k:" or "t:") .. ARGV[3 + scope] .. "|"
        .. string.match(fields[place], "^[^.]+")
    end
  end
end
if #missing > 0 then
  redis.call("SADD", KEYS[3], unpack(missing))
  return { "fill", now }
end

local verdicts = { 0, 0, 0, 0, 0, 0, 0, 0, 0 }
local refused = false
local function refuse(place, verdict)
  verdicts[place] = verdict
  refused = true
end

local weight, asked, bound = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[12])
local granted = asked
local windows = {}
for place = 1, 4 do
  local limit = tonumber(ARGV[12 + place])
  windows[place] = false
  if limit then
    local window = read_window(KEYS[7 + place], now)
    windows[place] = window
    local need = place <= 2 and 1 or weight + tonumber(ARGV[11])
    if window.sum + need > limit then
      refuse(place, wait_for(window, now, need, limit))
    elseif place > 2 then
      granted = math.min(granted, limit - window.sum - weight)
    end
  end
end

for scope = 1, 2 do
  local most = tonumber(ARGV[16 + scope])
  if most and redis.call("ZCOUNT", KEYS[11 + scope], "(" .. now, "+inf") >= most then
    refuse(4 + scope, 1)
  end
end

local least = asked > 0 and 1 or 0
for scope = 1, 2 do
  if limits[scope] then
    local unspent = limits[scope] - spent[scope] - bound
    if unspent < least then
      refuse(6 + scope, 2)
    elseif unspent - held[scope] < least then
      refuse(6 + scope, 1)
    else
      granted = math.min(granted, unspent - held[scope])
    end
  end
end

if redis.call("XLEN", KEYS[2]) >= tonumber(ARGV[8]) then refuse(9, 1) end

local function usage(requests, tokens, more)
  local result = {}
  for place = 1, 4 do
    local add = place <= 2 and requests or tokens
    result[place] = windows[place] and windows[place].sum + add
  end
  for scope = 1, 2 do
    result[3 + 2 * scope] = spent[scope]
    result[4 + 2 * scope] = held[scope] and held[scope] + more
  end
  return result
end

if refused then return { "no", now, usage(0, 0, 0), verdicts } end

local counted, whole = weight + granted, bound + granted
local buckets = { 0, 0, 0, 0 }
for place = 1, 4 do
  if windows[place] then
    write_window(windows[place], place <= 2 and 1 or counted)
    buckets[place] = windows[place].at
  end
end
redis.call("HSET", KEYS[5], "state", "live", "inc", ARGV[3], "owners", ARGV[4] .. " " .. ARGV[5],
  "sizes", string.format("%d %d %d %d %d %d %d", whole, now, counted, unpack(buckets)),
  "row", ARGV[6])
local lapse = now + ARGV[7]
redis.call("ZADD", KEYS[4], lapse, ARGV[2])
redis.call("ZADD", KEYS[12], lapse, ARGV[2])
redis.call("ZADD", KEYS[13], lapse, ARGV[2])
move_read_counters(KEYS[14], fields, counters[1], life[1], whole, 0)
move_read_counters(KEYS[15], fields, counters[2], life[1], whole, 0)
return { "ok", now, granted, whole, usage(1, counted, whole) }
