import { loadScripts } from '../../lib/ledger/scripts.ts';
import type { Script } from '../../lib/ledger/scripts.ts';
import type { Redis } from '../../lib/store/redis.ts';

/** Reads the time from a key in the slot of the script's first key; where none is set, Redis's own. */
const PRELUDE = `
local function now_ms()
  local tag = string.match(KEYS[1], "{(.-)}") or KEYS[1]
  local set = redis.call("GET", "{" .. tag .. "}:now")
  if set then return tonumber(set) end
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/** The product's own scripts under a clock that a test moves. */
export function loadMovableScripts(): readonly Script[] {
  return loadScripts(PRELUDE);
}

/** Sets the clock for every script whose first key is in the slot of `key`. */
export async function moveTime(redis: Redis, key: string, nowMs: number): Promise<void> {
  const tag = /\{(.*?)\}/.exec(key)?.[1] ?? key;
  await redis.set(`{${tag}}:now`, String(nowMs));
}
