import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSettings, SettingsError } from '../../../lib/config/load-settings.ts';
import type { SettingsInForce } from '../../../lib/config/load-settings.ts';
import { reloadSettings } from '../../../lib/config/reload-settings.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';

const SECRET = 'hunter2 hunter2 hunter2 hunter2 hunter2';

describe('config/reload-settings', () => {
  let files: TemporaryDirectory;
  let file: string;

  beforeEach(async () => {
    files = await makeTemporaryDirectory('settings');
    file = join(files.path, 'env');
  });
  afterEach(() => files.remove());

  function write(settings: Readonly<Record<string, string>>): void {
    const all = {
      DATABASE_URL: 'postgresql:///gateway',
      REDIS_URL: 'unix:///run/redis.sock',
      OLLAMA_URL: 'http://127.0.0.1:11434',
      NZGW_KEY_PEPPER: SECRET,
      ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}="${value}"\n`);
    writeFileSync(file, lines.join(''));
  }

  function start(environment: Readonly<Record<string, string>> = {}): {
    readonly inForce: SettingsInForce;
    readonly environment: Readonly<Record<string, string>>;
  } {
    const whole = { NZGW_ENV_FILE: file, ...environment };
    return { inForce: loadSettings(whole), environment: whole };
  }

  function findFaults(act: () => unknown): readonly string[] {
    try {
      act();
    } catch (error) {
      if (error instanceof SettingsError) return error.faults;
    }
    throw new Error('no faults were found');
  }

  it('takes from a file what has changed there, and names it', () => {
    write({});
    const { inForce, environment } = start();
    write({ NZGW_DRAIN_SECONDS: '7', NZGW_MODEL_NUM_CTX: 'llama3=8192' });
    const next = reloadSettings(environment, inForce);
    expect(next.settings.drainSeconds).to.equal(7);
    expect(next.settings.modelNumCtx).to.deep.equal(new Map([['llama3', 8_192]]));
    expect(next.changed).to.have.members(['NZGW_DRAIN_SECONDS', 'NZGW_MODEL_NUM_CTX']);
    expect(next.needRestart).to.deep.equal([]);
    expect(loadSettings(next.texts).settings).to.deep.equal(next.settings);
    expect(reloadSettings(environment, next).changed).to.deep.equal([]);
  });

  it('lets the environment win, as it was at the start', () => {
    write({});
    const { inForce, environment } = start({ NZGW_DRAIN_SECONDS: '5' });
    write({ NZGW_DRAIN_SECONDS: '7' });
    const next = reloadSettings(environment, inForce);
    expect(next.settings.drainSeconds).to.equal(5);
    expect(next.changed).to.deep.equal([]);
  });

  it('keeps what needs a restart, set or not set before, and names it', () => {
    write({ NZGW_PORT: '8081' });
    const { inForce, environment } = start();
    write({ NZGW_PORT: '9090', NZGW_WORKERS: '64', REDIS_URL: 'unix:///run/other.sock' });
    const next = reloadSettings(environment, inForce);
    expect(next.settings).to.deep.equal(inForce.settings);
    expect(next.texts).to.deep.equal(inForce.texts);
    expect(next.changed).to.deep.equal([]);
    expect(next.needRestart).to.have.members(['NZGW_PORT', 'NZGW_WORKERS', 'REDIS_URL']);
  });

  it('keeps both peppers until a restart, for workers with old ones refuse tags of a new one', () => {
    write({});
    const { inForce, environment } = start();
    write({ NZGW_KEY_PEPPER: 'p'.repeat(32), NZGW_KEY_PEPPER_PREVIOUS: SECRET });
    const next = reloadSettings(environment, inForce);
    expect(next.settings).to.deep.equal(inForce.settings);
    expect(next.needRestart).to.have.members(['NZGW_KEY_PEPPER', 'NZGW_KEY_PEPPER_PREVIOUS']);
  });

  it('refuses the whole for any fault, and shows no secret', () => {
    write({});
    const { inForce, environment } = start();
    write({ NZGW_KEY_PEPPER: 'hunter2', NZGW_DRAIN_SECONDS: 'long', NZGW_KEEP_ALIVE_SECONDS: '5' });
    const faults = findFaults(() => reloadSettings(environment, inForce));
    expect(faults.map((fault) => fault.split(':')[0])).to.deep.equal([
      'NZGW_KEY_PEPPER',
      'NZGW_DRAIN_SECONDS',
    ]);
    expect(faults.join()).to.not.include('hunter2');
  });

  it('checks new values together with those that stay', () => {
    write({});
    const { inForce, environment } = start();
    write({ NZGW_READY_AFTER_MS: '30000', NZGW_LEASE_RENEW_SECONDS: '10' });
    expect(findFaults(() => reloadSettings(environment, inForce))).to.have.length(1);
  });

  it('does not wait for a pipe, which has said all that it has to say', () => {
    write({});
    const pipe = join(files.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { inForce } = start();
    const environment = { NZGW_ENV_FILE: file, NZGW_DRAIN_SECONDS_FILE: pipe };
    const [fault] = findFaults(() => reloadSettings(environment, inForce));
    expect(fault).to.include('NZGW_DRAIN_SECONDS_FILE').and.include('NOT_A_FILE');
  });
});
