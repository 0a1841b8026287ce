-- One event of the stream: what it is, its audit facts, and what a sum over the stream needs, always
-- at the same places. What is not whole brings the progress that was told last.
local function append_event(events, kind, facts, key, tenant, at, tokens, ...)
  redis.call("XADD", events, "*", kind, facts, "key", key, "tenant", tenant, "at", at,
    "tokens", tokens, ...)
end
