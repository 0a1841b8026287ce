-- Which process of Redis this is: another run may have lost what the last one had acknowledged.
local function run_id()
  return string.match(redis.call("INFO", "server"), "run_id:(%x+)")
end

-- What all key names of this shard begin with; the first key is the shard's `life`.
local function prefix_of(life_key)
  return string.sub(life_key, 1, -5)
end
