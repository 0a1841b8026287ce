import { KEYS } from '../../lib/ledger/keys.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { SETTLED, sortFields, sortScores, windowValue } from './snapshot.ts';
import type { KeyState, Snapshot } from './snapshot.ts';

/** All keys of the shard in one moment, on the server that has its slot: name, type, TTL, content. */
const READ = `
local all = {}
for _, key in ipairs(redis.call("KEYS", "nz1:*")) do
  local kind = redis.call("TYPE", key).ok
  local value
  if kind == "hash" then value = redis.call("HGETALL", key)
  elseif kind == "set" then value = redis.call("SMEMBERS", key)
  elseif kind == "zset" then value = redis.call("ZRANGE", key, 0, -1, "WITHSCORES")
  elseif kind == "stream" then value = redis.call("XRANGE", key, "-", "+")
  else value = { redis.call("GET", key) } end
  all[#all + 1] = { string.match(key, "^nz1:{s00}:(.+)$") or key, redis.call("PTTL", key), value }
end
local run = string.match(redis.call("INFO", "server"), "run_id:(%x+)")
return { run, all }`;

/**
 * Sets TTLs (key, milliseconds in turn); nothing is left of what has none any more. What will soon be
 * over stays for a while: the clock that goes on meanwhile is not the one that the test moves.
 */
const SET_TTLS = `
for i = 1, #ARGV, 2 do
  local left = tonumber(ARGV[i + 1])
  if left < 0 then redis.call("DEL", "nz1:{s00}:" .. ARGV[i])
  else redis.call("PEXPIRE", "nz1:{s00}:" .. ARGV[i], math.max(14000, left)) end
end`;

type Flat = readonly string[];
type Raw = readonly [
  string,
  readonly (readonly [string, number, Flat | readonly [string, Flat][]])[],
];

/** The state of Redis in the form of the model's. */
export async function readSnapshot(redis: Redis): Promise<Snapshot> {
  const [run, all] = (await redis.eval(READ, 1, KEYS.life(0))) as Raw;
  const keys = new Map<string, KeyState>();
  for (const [name, ttlMs, content] of all) {
    const value = valueOf(name, content, run);
    // A stream of which everything was removed stays, empty.
    if (content.length > 0) keys.set(name, { value, ttlMs: ttlMs < 0 ? null : ttlMs });
  }
  return keys;
}

/** Brings the time that keys have left in line with the clock that a test moves. */
export async function setTtls(redis: Redis, ttls: ReadonlyMap<string, number>): Promise<void> {
  await redis.eval(SET_TTLS, 1, KEYS.life(0), ...[...ttls].flat());
}

function valueOf(name: string, content: Flat | readonly [string, Flat][], run: string): unknown {
  const kind = name.split(':')[0] ?? '';
  if (kind === 'events') return (content as readonly [string, Flat][]).map(([, f]) => toEvent(f));
  const flat = content as Flat;
  return (READERS[kind] ?? readFields)(flat, run);
}

const readFields = (flat: Flat): unknown => sortFields(pairsOf(flat));
const readMembers = (flat: Flat): unknown => [...flat].sort();
const readScores = (flat: Flat): unknown =>
  sortScores(new Map(pairsOf(flat).map(([id, score]) => [id, Number(score)])));
const readWindow = (flat: Flat): unknown => toWindow(new Map(pairsOf(flat)));

/** By the first word of a key's name. */
const READERS: Readonly<Record<string, (flat: Flat, run: string) => unknown>> = {
  life: toLife,
  lapse: readScores,
  lease: readScores,
  fills: readMembers,
  scopes: readMembers,
  hold: (flat) => (flat.length === 1 ? SETTLED : toHold(new Map(pairsOf(flat)))),
  rpm: readWindow,
  tpm: readWindow,
};

function toLife(flat: Flat, run: string): unknown {
  const fields = new Map(pairsOf(flat));
  return {
    id: fields.get('id') ?? null,
    run: toRun(fields.get('run'), run),
    ready: fields.get('ready') === '1',
    owner: fields.get('owner') ?? null,
  };
}

function toRun(kept: string | undefined, run: string): 'this' | 'other' | null {
  if (kept === undefined) return null;
  return kept === run ? 'this' : 'other';
}

function toWindow(fields: ReadonlyMap<string, string>): unknown {
  const at = Number(fields.get('at'));
  const seconds = new Map<number, number>();
  for (let second = at - 60; second <= at; second += 1) {
    const weight = fields.get(String(second % 61));
    if (weight !== undefined) seconds.set(second, Number(weight));
  }
  const value = windowValue(at, seconds);
  return { ...value, sum: Number(fields.get('sum')) };
}

function toHold(fields: ReadonlyMap<string, string>): unknown {
  const [key, tenant] = (fields.get('owners') ?? '').split(' ');
  const [held, at, counted, ...buckets] = (fields.get('sizes') ?? '').split(' ').map(Number);
  const loss = [fields.get('charge') ?? '', ...(fields.get('fills') ?? '').split(' ')];
  return {
    ...{
      state: fields.get('state'),
      inc: fields.get('inc'),
      key,
      tenant,
      held,
      at,
      counted,
      buckets,
    },
    prompt: Number(fields.get('prompt') ?? 0),
    completion: Number(fields.get('completion') ?? 0),
    row: fields.get('row'),
    loss: fields.has('charge') ? loss.map(Number) : null,
  };
}

function toEvent(fields: Flat): unknown {
  const [kind, facts, ...rest] = fields;
  const named = new Map(pairsOf(rest));
  const number = (name: string): number => Number(named.get(name) ?? 0);
  return {
    ...{ kind, facts, key: named.get('key'), tenant: named.get('tenant') },
    ...{ at: number('at'), tokens: number('tokens') },
    ...{ prompt: number('prompt'), completion: number('completion') },
  };
}

function pairsOf(flat: Flat): [string, string][] {
  return flat.flatMap((name, n): [string, string][] => (n % 2 ? [] : [[name, flat[n + 1] ?? '']]));
}
