import { loadSettings, SettingsError } from '../../lib/config/load-settings.ts';
import type { Environment } from '../../lib/config/read-sources.ts';
import { SETTINGS } from '../../lib/config/settings.ts';
import type { SettingKey, Settings } from '../../lib/config/settings.ts';
import { CommandError } from '../program/command-error.ts';
import { EXIT } from '../program/exit-code.ts';
import { fail, pass, warn } from './check.ts';
import type { Finding } from './check.ts';

/** All of them, together: what is missing, wrong, or called like none. */
export function lookAtSettings(environment: Environment): Finding {
  try {
    const { origins, warnings } = loadSettings(environment);
    const all = Object.values(origins);
    const given = all.filter((origin) => origin !== 'default' && origin !== 'absent');
    const seen = `${all.length} settings, ${given.length} of them given`;
    if (warnings.length === 0) return pass(seen);
    return warn(warnings.join('; '), 'correct the names, or take them away');
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return fail(error.faults.join('; '), 'docs/CONFIGURATION.md tells what each may be');
  }
}

/**
 * Only these, so that a fault of one setting hides nothing but what it is needed for. Throws
 * CommandError that names those which are not right.
 */
export function loadSome<K extends SettingKey>(
  environment: Environment,
  keys: readonly K[],
): Pick<Settings, K> {
  try {
    return loadSettings(environment, keys).settings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const names = keys.map((key) => SETTINGS[key].name);
    const wrong = names.filter((name) => error.faults.some((fault) => fault.startsWith(name)));
    throw new CommandError(`${wrong.join(', ') || names.join(', ')}: not right`, {
      exitCode: EXIT.usage,
      code: 'settings_invalid',
      hint: 'see the check of the settings',
      cause: error,
    });
  }
}
