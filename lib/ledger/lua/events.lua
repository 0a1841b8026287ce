-- One event of the stream: what it is, its audit facts, and what a sum over the stream needs, always
-- at the same places.
local function append_event(events, kind, facts, key, tenant, at, tokens, prompt, completion)
  redis.call("XADD", events, "*", kind, facts, "key", key, "tenant", tenant, "at", at,
    "tokens", tokens, "prompt", prompt or 0, "completion", completion or 0)
end
