import { expect } from 'chai';
import { parseEnv } from 'node:util';
import { EXIT } from '../../bin/program/exit-code.ts';
import type { Definition } from '../../lib/config/definition.ts';
import { loadSettings } from '../../lib/config/load-settings.ts';
import { SETTINGS } from '../../lib/config/settings.ts';
import { readConsoleCommands } from '../support/documents.ts';
import { readText } from '../support/monitoring-files.ts';
import { readUnit, valuesOf } from '../support/read-unit.ts';

const UNIT = 'deploy/systemd/nzgw.service';
const DROP_IN = 'deploy/systemd/ollama.service.d/nzgw.conf';
const PAGE = 'docs/DEPLOYMENT.md';
const ENV_FILE = 'deploy/systemd/nzgw.env';
/** Beyond the grace of streams: workers settle, and what is settled is brought to Postgres. */
const SETTLE_SECONDS = 15;

const definitions: readonly Definition<unknown>[] = Object.values(SETTINGS);
const unit = readUnit(await readText(UNIT));
const envFile = await readText(ENV_FILE);

describe('architecture: the unit says what the gateway does', () => {
  it('has every secret setting as a credential, and nothing else', () => {
    const loaded = valuesOf(unit, 'LoadCredential').map((value) => value.split(':'));
    const secrets = definitions.filter(({ secret }) => secret).map(({ name }) => name);
    expect(loaded.map(([id]) => id?.toUpperCase())).to.have.members(secrets);
    for (const [id, path] of loaded) expect(path).to.equal(`/etc/nzgw/credentials/${id ?? ''}`);
  });

  it('starts without the files of secrets that are not needed, whose credential is an empty line', () => {
    const optional = valuesOf(unit, 'LoadCredential')
      .map((value) => value.split(':')[0])
      .filter((id) => id !== 'nzgw_key_pepper');
    expect(valuesOf(unit, 'SetCredential')).to.deep.equal(optional.map((id) => `${id ?? ''}:\\n`));
  });

  it('starts again after all but what waiting cannot mend', () => {
    expect(valuesOf(unit, 'Restart')).to.deep.equal(['on-failure']);
    expect(valuesOf(unit, 'RestartPreventExitStatus')).to.deep.equal([
      `${EXIT.usage} ${EXIT.conflict}`,
    ]);
    expect(valuesOf(unit, 'StartLimitIntervalSec')).to.deep.equal(['0']);
  });

  it('gives streams, settlements and workers without a primary the time that they are promised', () => {
    const { drainSeconds } = loadSettings({}, ['drainSeconds']).settings;
    const [stopSeconds] = valuesOf(unit, 'TimeoutStopSec').map(Number);
    expect(stopSeconds).to.be.at.least(drainSeconds + SETTLE_SECONDS);
    expect(valuesOf(unit, 'TimeoutStartSec')).to.deep.equal(['infinity']);
    expect(valuesOf(unit, 'KillMode')).to.deep.equal(['control-group']);
    expect(Number(valuesOf(unit, 'WatchdogSec')[0])).to.be.at.least(30);
  });

  it('hears the gateway through the program that it calls', () => {
    expect(valuesOf(unit, 'Type')).to.deep.equal(['notify']);
    expect(valuesOf(unit, 'NotifyAccess')).to.deep.equal(['all']);
    expect(valuesOf(unit, 'ExecPaths').join(' ').split(' ')).to.include.members([
      '/usr/bin/systemd-notify',
      valuesOf(unit, 'ExecReload')[0]?.split(' ')[0]?.replace('/bin/', '/usr/bin/'),
    ]);
  });

  it('lets no setting into the environment but the name of their file', () => {
    expect(valuesOf(unit, 'EnvironmentFile')).to.deep.equal([]);
    expect(valuesOf(unit, 'Environment')).to.deep.equal(['NZGW_ENV_FILE=/etc/nzgw/nzgw.env']);
  });
});

describe('architecture: the file of settings for systemd', () => {
  it('is enough to start with, beside the pepper, and holds no secret', () => {
    const found = parseEnv(envFile);
    const { NZGW_KEY_PEPPER_FILE, ...rest } = found;
    expect(NZGW_KEY_PEPPER_FILE).to.equal('/etc/nzgw/credentials/nzgw_key_pepper');
    const { warnings } = loadSettings({ ...rest, NZGW_KEY_PEPPER: 'p'.repeat(32) });
    expect(warnings).to.deep.equal([]);
    for (const name of ['DATABASE_URL', 'REDIS_URL']) {
      const { username, password } = new URL(found[name] ?? '');
      expect(username + password, name).to.equal('');
    }
  });

  it('shows only settings that there are, each with its default', () => {
    const shown = parseEnv(envFile.replaceAll(/^# (?=[A-Z_]+=)/gm, ''));
    const names = definitions.flatMap(({ name }) => [name, `${name}_FILE`]);
    expect(names).to.include.members(Object.keys(shown));
    for (const { name, fallback } of definitions) {
      if (typeof fallback === 'string' && name in shown) expect(shown[name]).to.equal(fallback);
    }
  });
});

describe('architecture: the drop-in of Ollama', () => {
  it('is installed under a name that comes after the one by which the port was opened', async () => {
    const installed = readConsoleCommands(await readText(PAGE), "### Close Ollama's port").flatMap(
      ({ text }) => /ollama\.service\.d\/(\S+\.conf)$/.exec(text)?.[1] ?? [],
    );
    expect(installed).to.have.lengthOf(1);
    expect(['override.conf', ...installed].sort()).to.deep.equal(['override.conf', ...installed]);
  });

  it('keeps it on loopback and out of the cloud, and needs the firewall', async () => {
    const dropIn = readUnit(await readText(DROP_IN));
    expect(valuesOf(dropIn, 'Environment')).to.have.members([
      'OLLAMA_HOST=127.0.0.1:11434',
      'OLLAMA_NO_CLOUD=1',
    ]);
    expect(valuesOf(dropIn, 'Requires')).to.deep.equal(['nzgw-firewall.service']);
    expect(valuesOf(dropIn, 'After')).to.deep.equal(['nzgw-firewall.service']);
  });
});
