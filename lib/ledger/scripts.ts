import { readFileSync } from 'node:fs';
import { ROOT } from '../root.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';

/** Each script, named as its file is (name and number of keys), with the pieces it stands on. */
const PIECES = {
  'admit-15': ['life', 'counters', 'windows'],
  'settle-10': ['counters', 'windows', 'holds', 'corrections', 'events'],
  'cancel-12': ['counters', 'windows', 'holds', 'corrections', 'events'],
  'note-1': ['events'],
  'renew-2': ['life', 'holds'],
  'rehold-2': ['life', 'counters', 'holds'],
  'peek-10': ['life', 'counters', 'windows'],
  'reap-2': ['life', 'counters', 'holds', 'events', 'reaping'],
  'exit-2': ['life', 'counters', 'holds', 'events', 'reaping'],
  'own-1': [],
  'tick-3': ['life'],
  'begin-1': ['life'],
  'ready-1': ['life'],
  'fill-5': ['life', 'counters', 'holds', 'sums'],
  'look-3': ['life', 'counters', 'holds', 'sums'],
  'stray-2': ['life', 'holds'],
  'wait-4': ['windows'],
  'fail-1': [],
} as const;

type FileName = keyof typeof PIECES;
type NameOf<F> = F extends `${infer Name}-${number}` ? Name : never;

/** What a script is called by: `admit`, `settle`, … */
export type ScriptName = NameOf<FileName>;

/** One Lua file, ready to be defined: how many keys it takes; prelude, pieces and text joined. */
export interface Script {
  readonly name: ScriptName;
  readonly command: `nz_${ScriptName}`;
  readonly numberOfKeys: number;
  readonly lua: string;
}

/** What `defineScripts` adds to a connection: keys first, then arguments; the reply is not typed yet. */
export type ScriptCommands = Record<
  `nz_${ScriptName}`,
  (...keysAndArguments: readonly (string | number)[]) => Promise<unknown>
>;

/**
 * Reads the scripts from the source tree, also when running from dist/. Only the caller chooses the
 * prelude, and with it the clock: no setting reaches that.
 */
export function loadScripts(prelude: string = readLua('prelude')): readonly Script[] {
  return Object.entries(PIECES).map(([file, pieces]) => {
    const at = file.lastIndexOf('-');
    const name = file.slice(0, at) as ScriptName;
    return {
      name,
      command: `nz_${name}`,
      numberOfKeys: Number(file.slice(at + 1)),
      lua: join([prelude, ...pieces.map(readLua)].join('\n'), readLua(file)),
    };
  });
}

let ownScripts: readonly Script[] | undefined;

/** Teaches a connection the scripts. ioredis sends the digest, and the text where Redis lacks it. */
export function defineScripts(
  redis: Redis,
  scripts: readonly Script[] = (ownScripts ??= loadScripts()),
): Redis & ScriptCommands {
  for (const { command, numberOfKeys, lua } of scripts) {
    redis.defineCommand(command, { numberOfKeys, lua });
  }
  return redis as Redis & ScriptCommands;
}

/**
 * The same commands, and how long each took from its sending to its answer or its failure, in ms: what
 * Redis, the way there and this process took together.
 */
export function timeScripts(
  commands: ScriptCommands,
  clock: Pick<Clock, 'monotonicMs'>,
  onScript: (name: ScriptName, ms: number) => void,
): ScriptCommands {
  const timed: Partial<ScriptCommands> = {};
  for (const file of Object.keys(PIECES)) {
    const name = file.slice(0, file.lastIndexOf('-')) as ScriptName;
    timed[`nz_${name}`] = (...keysAndArguments) => {
      const sentAtMs = clock.monotonicMs();
      const note = (): void => {
        onScript(name, clock.monotonicMs() - sentAtMs);
      };
      const answer = commands[`nz_${name}`](...keysAndArguments);
      void answer.then(note, note);
      return answer;
    };
  }
  return timed as ScriptCommands;
}

/** Each script begins with the line of its flags, which must stay the first. */
function join(before: string, script: string): string {
  const end = script.indexOf('\n') + 1;
  return script.slice(0, end) + before + script.slice(end);
}

function readLua(name: string): string {
  return readFileSync(new URL(`lib/ledger/lua/${name}.lua`, ROOT), 'utf8');
}
