import type { Script, ScriptName } from '../../lib/ledger/scripts.ts';

/** A change of one script's text that makes it wrong. */
export interface PlantedBug {
  readonly what: string;
  readonly script: ScriptName;
  readonly from: string;
  readonly to: string;
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    what: 'a settlement leaves what was held',
    script: 'settle',
    from: 'held = -was_held',
    to: 'held = 0',
  },
  {
    what: 'a repeated settlement is charged again',
    script: 'settle',
    from: 'mark_settled(KEYS[4])\n',
    to: 'redis.call("DEL", KEYS[4])\n',
  },
  {
    what: 'a late settlement does not give back what was charged for the loss',
    script: 'settle',
    from: 'local spent = tokens - hold[1]',
    to: 'local spent = tokens',
  },
  {
    what: 'a settled request keeps a slot of its tenant',
    script: 'settle',
    from: 'redis.call("ZREM", KEYS[8], ARGV[1])',
    to: '',
  },
  {
    what: 'a lapsed lease is charged with the progress',
    script: 'reap',
    from: 'reap_one(prefix, life[1], id, true)',
    to: 'reap_one(prefix, life[1], id, false)',
  },
  {
    what: 'a cancel does not wait for the deadline',
    script: 'cancel',
    from: 'if now <= tonumber(ARGV[2]) then',
    to: 'if false then',
  },
  {
    what: 'a cancel keeps the charge of a reaped hold',
    script: 'cancel',
    from: 'correct_charge(KEYS[4], life, fields, 0, { KEYS[11], KEYS[12] })',
    to: '',
  },
  {
    what: 'a late settlement takes a charge from a counter that never had it',
    script: 'settle',
    from: 'if spent < 0 and since ~= fills[scope] then spent = 0 end',
    to: '',
  },
  {
    what: 'an admission after its deadline passes',
    script: 'admit',
    from: 'if now > tonumber(ARGV[1]) then',
    to: 'if false then',
  },
  {
    what: 'an admission does not move the counters of the tenant',
    script: 'admit',
    from: 'move_read_counters(KEYS[15], fields, counters[2], life[1], whole, 0)',
    to: '',
  },
  {
    what: 'an admission does not move the counter of the month',
    script: 'admit',
    from: 'for at = 1, 7, 3 do',
    to: 'for at = 1, 7, 6 do',
  },
  {
    what: 'an admission does not see what others hold',
    script: 'admit',
    from: 'unspent - held[scope] < least',
    to: 'unspent < least',
  },
  {
    what: 'a minute forgets the second that runs',
    script: 'admit',
    from: 'local sum, bucket = window.sum + weight,',
    to: 'local sum, bucket = window.sum,',
  },
  {
    what: 'the wait for a minute is a second short',
    script: 'admit',
    from: '(oldest + i - 1 + SLOTS) * 1000 - now',
    to: '(oldest + i - 2 + SLOTS) * 1000 - now',
  },
  {
    what: 'a refused admission takes a slot',
    script: 'admit',
    from: 'if refused then',
    to: 'if refused then redis.call("ZADD", KEYS[12], now, ARGV[2])',
  },
  {
    what: 'a Redis that started anew admits before it is ready',
    script: 'admit',
    from: 'or not is_this_run(life[2])',
    to: '',
  },
  {
    what: 'a fill forgets what waits in the stream',
    script: 'fill',
    from: 'ARGV[i + 2] + sums.stream',
    to: 'ARGV[i + 2] + 0',
  },
  {
    what: 'a fill forgets the live holds',
    script: 'fill',
    from: 'sums.stream, sums.live\n',
    to: 'sums.stream, 0\n',
  },
  {
    what: 'a fill does not ask for the claim',
    script: 'fill',
    from: 'if life[4] ~= ARGV[1] then return { "owner", now } end',
    to: '',
  },
  {
    what: 'an exit is charged with the whole hold',
    script: 'exit',
    from: 'reap_one(prefix, life, id, false)',
    to: 'reap_one(prefix, life, id, true)',
  },
  {
    what: 'a hold made anew is in no counter',
    script: 'rehold',
    from: 'fields, life, tonumber(held), 0)',
    to: 'fields, life, 0, 0)',
  },
  {
    what: 'a renewal does not tell what Redis has lost',
    script: 'renew',
    from: 'unknown[#unknown + 1] = id',
    to: '',
  },
];

/** The scripts with one bug. @throws Error unless its text stands exactly once in its script */
export function plant(scripts: readonly Script[], bug: PlantedBug): readonly Script[] {
  return scripts.map((script) => {
    if (script.name !== bug.script) return script;
    const parts = script.lua.split(bug.from);
    if (parts.length !== 2)
      throw new Error(`${bug.what}: its place is there ${parts.length - 1} times`);
    return { ...script, lua: parts.join(bug.to) };
  });
}
