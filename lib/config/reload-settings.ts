import { isDeepStrictEqual } from 'node:util';
import { loadSettings } from './load-settings.ts';
import type { SettingsInForce } from './load-settings.ts';
import type { Environment } from './read-sources.ts';
import { SETTINGS } from './settings.ts';
import type { SettingKey } from './settings.ts';

export interface ReloadedSettings extends SettingsInForce {
  /** Names of settings with another value than before. */
  readonly changed: readonly string[];
  /** Names of those that have another value now, and keep the old one until a restart. */
  readonly needRestart: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Reads the settings anew (SPEC §14), as SIGHUP asks for. What needs a restart keeps its value; the
 * whole is checked with that.
 * @throws SettingsError with every fault at once; then nothing has changed.
 */
export function reloadSettings(
  environment: Environment,
  inForce: SettingsInForce,
): ReloadedSettings {
  const read = loadSettings(environment, undefined, { pipes: false });
  const differing = Object.entries(SETTINGS).filter(
    ([key]) =>
      !isDeepStrictEqual(read.settings[key as SettingKey], inForce.settings[key as SettingKey]),
  );
  const fixed = differing.flatMap(([, { name, needsRestart }]) => (needsRestart ? [name] : []));
  const texts = { ...read.texts };
  for (const name of fixed) keepText(texts, name, inForce.texts[name]);
  return {
    settings: loadSettings(texts).settings,
    texts,
    changed: differing.flatMap(([, { name, needsRestart }]) => (needsRestart ? [] : [name])),
    needRestart: fixed,
    warnings: read.warnings,
  };
}

/** What was a default before is one again. */
function keepText(texts: Record<string, string>, name: string, text: string | undefined): void {
  if (text === undefined) Reflect.deleteProperty(texts, name);
  else texts[name] = text;
}
