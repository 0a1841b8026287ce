import { loadSettings } from '../../lib/config/load-settings.ts';
import { SETTINGS } from '../../lib/config/settings.ts';
import type { SettingKey } from '../../lib/config/settings.ts';
import { CommandError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';
import { suggest } from '../program/suggest.ts';

const KEYS = Object.keys(SETTINGS) as SettingKey[];

interface Effective {
  readonly name: string;
  /** null: not set. A secret is "***". */
  readonly value: unknown;
  readonly origin: string;
  readonly secret: boolean;
}

export const config = defineCommand({
  name: 'config',
  summary: 'Shows the settings in force and where each came from; secrets stay hidden.',
  positionals: [{ name: 'NAME', required: false, meaning: 'one setting: NZGW_PORT' }],
  options: [],
  examples: ['nzgw config', 'nzgw config NZGW_PORT', 'nzgw config --env-file /etc/nzgw.env --json'],
  needs: [],
  run(context) {
    const [name] = context.positionals;
    const wanted = name === undefined ? KEYS : [findKey(name)];
    const { settings, origins } = loadSettings(context.environment, wanted);
    const rows = wanted.map((key) => toEffective(key, settings[key], origins[key]));
    context.output.list(rows, (row) => row, {
      name: (row) => row.name,
      value: (row) => showValue(row.value),
      origin: (row) => row.origin,
    });
    return Promise.resolve(EXIT.done);
  },
});

function findKey(name: string): SettingKey {
  const key = KEYS.find((candidate) => SETTINGS[candidate].name === name);
  if (key !== undefined) return key;
  const guess = suggest(
    name.toUpperCase(),
    KEYS.map((candidate) => SETTINGS[candidate].name),
  );
  throw new CommandError(`no setting "${name}"`, {
    exitCode: EXIT.notFound,
    code: 'setting_not_found',
    hint: guess === undefined ? 'nzgw config' : `did you mean ${guess}?`,
  });
}

function toEffective(key: SettingKey, value: unknown, origin: string): Effective {
  const { name, secret } = SETTINGS[key];
  if (secret) return { name, value: value === null ? null : '***', origin, secret };
  return { name, value: value instanceof Map ? Object.fromEntries(value) : value, origin, secret };
}

function showValue(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
