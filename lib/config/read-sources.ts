import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Definition } from './definition.ts';
import { readErrorCode, readTextFile } from './read-text-file.ts';
import type { TextOptions } from './read-text-file.ts';

/** As process.env has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a value came from. `env_file` is the file named by NZGW_ENV_FILE. */
export type Origin = 'environment' | 'file' | 'credential' | 'env_file' | 'default' | 'absent';

export interface FoundText {
  readonly text: string;
  readonly origin: Origin;
}

/** `fault` is set where a place could not be read, or two places contradict each other. */
export interface Finding {
  readonly found?: FoundText;
  readonly fault?: string;
}

/** What must be known of a setting to look for it. */
type Named = Pick<Definition<unknown>, 'name' | 'secret'>;

const NOTHING: Finding = {};

/**
 * The places a setting can come from (SPEC §14), in order: the environment (`X` itself, or the file
 * that `X_FILE` names), a systemd credential called X or x, and the file that NZGW_ENV_FILE names,
 * where again both forms count. An empty text counts as absent.
 */
export class Sources {
  /** Why NZGW_ENV_FILE could not be read. */
  readonly fault: string | undefined;
  readonly #environment: Environment;
  readonly #envFile: Environment;
  readonly #options: TextOptions;

  constructor(environment: Environment, options: TextOptions = { pipes: true }) {
    this.#environment = environment;
    this.#options = options;
    const named = { name: 'NZGW_ENV_FILE', secret: false };
    const { found, fault } = readNamedFile({ environment, options }, named);
    this.#envFile = parseEnv(found?.text ?? '');
    this.fault = fault;
  }

  /** Every name that is set somewhere, for the search for misspelt ones. */
  get names(): readonly string[] {
    return [...new Set([...Object.keys(this.#environment), ...Object.keys(this.#envFile)])];
  }

  /** Throws nothing: what cannot be read is told as a fault, to be shown with all others. */
  find(setting: Named): Finding {
    const options = this.#options;
    for (const finding of [
      findIn({ environment: this.#environment, options }, setting, 'environment'),
      findCredential(toPresent(this.#environment['CREDENTIALS_DIRECTORY']), setting.name),
      findIn({ environment: this.#envFile, options }, setting, 'env_file'),
    ]) {
      if (finding !== NOTHING) return finding;
    }
    return NOTHING;
  }
}

interface Place {
  readonly environment: Environment;
  readonly options: TextOptions;
}

function findIn(place: Place, { name, secret }: Named, origin: Origin): Finding {
  const { environment } = place;
  const text = toPresent(environment[name]);
  if (text === undefined) {
    return readNamedFile(place, { name: `${name}_FILE`, secret });
  }
  if (toPresent(environment[`${name}_FILE`]) === undefined) return { found: { text, origin } };
  return { fault: `${name}: wanted either ${name} or ${name}_FILE, got both` };
}

/** Where a secret belongs, its text may stand by mistake for the path: that is not shown either. */
function readNamedFile({ environment, options }: Place, { name, secret }: Named): Finding {
  const path = toPresent(environment[name]);
  if (path === undefined) return NOTHING;
  try {
    const text = toPresent(readTextFile(path, options));
    return text === undefined ? NOTHING : { found: { text, origin: 'file' } };
  } catch (error) {
    const found = `${secret ? 'one that is not shown' : JSON.stringify(path)} (${readErrorCode(error)})`;
    return { fault: `${name}: wanted the path of a readable file, got ${found}` };
  }
}

function findCredential(folder: string | undefined, name: string): Finding {
  if (folder === undefined) return NOTHING;
  for (const file of [name, name.toLowerCase()]) {
    try {
      const text = toPresent(readTextFile(join(folder, file)));
      if (text !== undefined) return { found: { text, origin: 'credential' } };
    } catch (error) {
      const code = readErrorCode(error);
      if (code !== 'ENOENT') {
        return { fault: `${name}: wanted a readable credential, got ${file} (${code})` };
      }
    }
  }
  return NOTHING;
}

function toPresent(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
