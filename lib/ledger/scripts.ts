import { readFileSync } from 'node:fs';
import { ROOT } from '../root.ts';
import type { Redis } from '../store/redis.ts';

const NAMES = ['admit-3', 'settle-1', 'fail-1'] as const;

type ScriptName = (typeof NAMES)[number];
type CommandOf<N> = N extends `${infer Name}-${number}` ? `nz_${Name}` : never;

/** One Lua file, ready to be defined: its name, how many keys it takes, prelude and text joined. */
export interface Script {
  readonly command: CommandOf<ScriptName>;
  readonly numberOfKeys: number;
  readonly lua: string;
}

/** What `defineScripts` adds to a connection: keys first, then arguments; the reply is not typed yet. */
export type ScriptCommands = Record<
  CommandOf<ScriptName>,
  (...keysAndArguments: readonly (string | number)[]) => Promise<unknown>
>;

/**
 * Reads the scripts from the source tree, also when running from dist/. Only the caller chooses the
 * prelude, and with it the clock: no setting reaches that.
 */
export function loadScripts(prelude: string = readLua('prelude')): readonly Script[] {
  return NAMES.map((name) => {
    const [command, keys] = splitName(name);
    return { command, numberOfKeys: keys, lua: join(prelude, readLua(name)) };
  });
}

/** Teaches a connection the scripts. ioredis sends the digest, and the text where Redis lacks it. */
export function defineScripts(
  redis: Redis,
  scripts: readonly Script[] = loadScripts(),
): Redis & ScriptCommands {
  for (const { command, numberOfKeys, lua } of scripts) {
    redis.defineCommand(command, { numberOfKeys, lua });
  }
  return redis as Redis & ScriptCommands;
}

function splitName(name: ScriptName): [CommandOf<ScriptName>, number] {
  const at = name.lastIndexOf('-');
  return [`nz_${name.slice(0, at)}` as CommandOf<ScriptName>, Number(name.slice(at + 1))];
}

/** Each script begins with the line of its flags, which must stay the first. */
function join(prelude: string, script: string): string {
  const end = script.indexOf('\n') + 1;
  return script.slice(0, end) + prelude + script.slice(end);
}

function readLua(name: string): string {
  return readFileSync(new URL(`lib/ledger/lua/${name}.lua`, ROOT), 'utf8');
}
