-- One event of the stream: what it is, its audit facts, and what a sum over the stream needs, always
-- at the same places.
local function append_event(events, kind, facts, key, tenant, at, tokens, prompt, completion)
  redis.call("XADD", events, "*", kind, facts, "key", key, "tenant", tenant, "at", at,
    "tokens", tokens, "prompt", prompt or 0, "completion", completion or 0)
end

-- Known as settled for a minute, so that a repeated settlement changes nothing.
local function mark_settled(hold_key, exists)
  if exists then redis.call("DEL", hold_key) end
  redis.call("HSET", hold_key, "state", "settled")
  redis.call("PEXPIRE", hold_key, 60000)
end
