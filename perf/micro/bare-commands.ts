/**
 * The commands of Redis that a settlement of a live hold cannot do without (LEDGER §3), one after the
 * other with ready arguments and no logic between them: the least that a script of these steps can
 * cost on the Redis at hand. Keys and arguments are those of lua/settle-10.lua.
 */
export const BARE_SETTLE = `#!lua flags=allow-oom
redis.call("HMGET", KEYS[4], "state", "sizes")
redis.call("ZREM", KEYS[3], ARGV[1])
for scope = 1, 2 do
  redis.call("ZREM", KEYS[6 + scope], ARGV[1])
  redis.call("HMGET", KEYS[4 + scope], "at", "sum", "7")
  redis.call("HSET", KEYS[4 + scope], "sum", "123456789", "7", "12345")
end
redis.call("HGET", KEYS[1], "id")
for scope = 1, 2 do
  redis.call("HMGET", KEYS[8 + scope], "d20781.life", "d20781.spent", "d20781.held",
    "m202611.life", "m202611.spent", "m202611.held", "t.life", "t.spent", "t.held")
  redis.call("HSET", KEYS[8 + scope], "d20781.spent", "123456789", "d20781.held", "12345")
end
redis.call("XADD", KEYS[2], "*", "entry", ARGV[6], "key", ARGV[2], "tenant", ARGV[3], "at", ARGV[4],
  "tokens", ARGV[5])
redis.call("SET", KEYS[4], "settled", "PX", "60000")
return { "settled" }`;
