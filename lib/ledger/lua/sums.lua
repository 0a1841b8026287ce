-- What the stream and the live holds of a shard add up to, for each wanted counter.
-- `wanted` maps "scope|period" to a table with `stream` and `live`, which are added to.
local function add_sums(prefix, wanted)
  local names_at = {}
  local function add(field, key, tenant, at, tokens)
    local day = math.floor(at / DAY_MS)
    local periods = names_at[day]
    if not periods then
      periods = { "|d" .. day, "|m" .. month_of(day), "|t" }
      names_at[day] = periods
    end
    for _, period in ipairs(periods) do
      local of_key, of_tenant = wanted["k:" .. key .. period], wanted["t:" .. tenant .. period]
      if of_key then of_key[field] = of_key[field] + tokens end
      if of_tenant then of_tenant[field] = of_tenant[field] + tokens end
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
    local hold = redis.call("HMGET", prefix .. "hold:" .. id, "state", "key", "tenant", "at", "held")
    if hold[1] == "live" then add("live", hold[2], hold[3], hold[4], tonumber(hold[5])) end
  end
end
