-- Which process of Redis this is: another run may have lost what the last one had acknowledged.
local function run_id()
  return string.match(redis.call("INFO", "server"), "run_id:(%x+)")
end

-- Whether `run` is the id of this process. Looking for it costs half of what cutting it out does.
local function is_this_run(run)
  return run and string.find(redis.call("INFO", "server"), "run_id:" .. run .. "\r", 1, true) ~= nil
end

-- What all key names of this shard begin with; the first key is the shard's `life`.
local function prefix_of(life_key)
  return string.sub(life_key, 1, -5)
end
