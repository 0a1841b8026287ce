-- What the stream and the live holds of a shard add up to, for each wanted counter.
-- `wanted` maps "scope|period" to a table with `stream` and `live`, which are added to, as is `events`
-- where it is there: an event of no tokens waits too.
local function add_sums(prefix, wanted)
  local names_at = {}
  local function add(field, key, tenant, at, tokens)
    local day = math.floor(at / DAY_MS)
    local periods = names_at[day]
    if not periods then
      periods = { "|d" .. day, "|m" .. month_of(day), "|t" }
      names_at[day] = periods
    end
    local function add_to(sums)
      if not sums then return end
      sums[field] = sums[field] + tokens
      if field == "stream" and sums.events then sums.events = sums.events + 1 end
    end
    for _, period in ipairs(periods) do
      add_to(wanted["k:" .. key .. period])
      add_to(wanted["t:" .. tenant .. period])
    end
  end

  local from = "-"
  repeat
    local events = redis.call("XRANGE", prefix .. "events", from, "+", "COUNT", 1000)
    for _, event in ipairs(events) do
      local f = event[2]
      if f[9] == "tokens" then add("stream", f[4], f[6], f[8], tonumber(f[10])) end
    end
    if #events > 0 then from = "(" .. events[#events][1] end
  until #events < 1000

  for _, id in ipairs(redis.call("ZRANGE", prefix .. "lapse", 0, -1)) do
    local hold = read_hold(prefix .. "hold:" .. id, "state", "owners", "sizes")
    if hold[1] == "live" then
      local key, tenant = read_owners(hold[2])
      local held, at = read_sizes(hold[3])
      add("live", key, tenant, at, held)
    end
  end
end
