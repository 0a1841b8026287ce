import { findCrossFaults } from './cross-checks.ts';
import type { Definition } from './definition.ts';
import { Sources } from './read-sources.ts';
import type { Environment, FoundText, Origin } from './read-sources.ts';
import type { TextOptions } from './read-text-file.ts';
import { SETTINGS } from './settings.ts';
import type { SettingKey, Settings } from './settings.ts';
import { warnOfUnknownNames } from './unknown-names.ts';

const LONGEST_SHOWN = 100;

/** The settings cannot be used. Every fault is in it, and no secret's value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  /** One line each: `NAME: wanted …, got "…"`. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** The settings a process goes by, and the texts that they were read from: by name, without defaults. */
export interface SettingsInForce {
  readonly settings: Settings;
  /** With secrets: only ever told to a worker. */
  readonly texts: Readonly<Record<string, string>>;
}

interface LoadedSettings<K extends SettingKey> {
  /** Frozen. */
  readonly settings: Pick<Settings, K>;
  /** What was found, by name: read as an environment it gives the same settings. */
  readonly texts: Readonly<Record<string, string>>;
  readonly origins: Readonly<Record<K, Origin>>;
  /** Lines to be shown, of what is odd but does not matter. */
  readonly warnings: readonly string[];
}

/**
 * Reads and checks the settings (SPEC §14): all, or only the wanted ones, since a command that needs
 * Postgres alone must not ask for Redis.
 * `pipes` false: only what can be read again, and at once.
 * @throws SettingsError with every fault at once.
 */
export function loadSettings<K extends SettingKey = SettingKey>(
  environment: Environment,
  wanted: readonly K[] = Object.keys(SETTINGS) as K[],
  options: TextOptions = { pipes: true },
): LoadedSettings<K> {
  const sources = new Sources(environment, options);
  const faults: string[] = [];
  const values: Partial<Record<SettingKey, unknown>> = {};
  const origins: Partial<Record<SettingKey, Origin>> = {};
  const texts: Record<string, string> = {};

  for (const key of wanted) {
    const definition: Definition<unknown> = SETTINGS[key];
    const { found, fault: unread } = sources.find(definition);
    const { value, fault } = readValue(definition, found);
    const told = unread ?? fault;
    if (told !== undefined) faults.push(told);
    values[key] = value;
    if (found !== undefined) texts[definition.name] = found.text;
    origins[key] = found?.origin ?? (definition.fallback === null ? 'absent' : 'default');
  }

  const settings = values as Pick<Settings, K>;
  faults.push(...findCrossFaults(settings));
  if (sources.fault !== undefined) faults.unshift(sources.fault);
  if (faults.length > 0) throw new SettingsError(faults);
  return {
    settings: Object.freeze(settings),
    texts,
    origins: origins as Record<K, Origin>,
    warnings: warnOfUnknownNames(
      sources.names,
      Object.values(SETTINGS).map(({ name }) => name),
    ),
  };
}

interface ReadValue {
  readonly value?: unknown;
  readonly fault?: string;
}

function readValue(definition: Definition<unknown>, found: FoundText | undefined): ReadValue {
  const { name, kind, fallback, secret } = definition;
  const text = found?.text ?? fallback;
  if (text === null) return { value: null };
  if (text === undefined) return { fault: `${name}: wanted ${kind.wanted}, got nothing` };
  const result = kind.schema.safeParse(text);
  if (result.success) return { value: result.data };
  const got = secret ? 'a value that is not shown' : toShown(text);
  return { fault: `${name}: wanted ${kind.wanted}, got ${got}` };
}

/** Cut to a line, and without the password of a URL that should have none. */
function toShown(text: string): string {
  return JSON.stringify(text.slice(0, LONGEST_SHOWN).replace(/\/\/[^/\s]*@/g, '//…@'));
}
