import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { SettingsError, loadSettings } from '../../../lib/config/load-settings.ts';
import type { Environment } from '../../../lib/config/read-sources.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';

const PEPPER = 'p'.repeat(32);
const REQUIRED = {
  DATABASE_URL: 'postgresql:///gateway?host=/run/postgresql',
  REDIS_URL: 'unix:///run/redis.sock',
  OLLAMA_URL: 'http://127.0.0.1:11434',
  NZGW_KEY_PEPPER: PEPPER,
};

describe('config/load-settings', () => {
  let files: TemporaryDirectory;

  beforeEach(async () => {
    files = await makeTemporaryDirectory('settings');
  });

  afterEach(() => files.remove());

  it('needs the four required settings and has a default for each other', () => {
    const { settings, origins, warnings } = loadSettings(REQUIRED);
    expect(settings.port).to.equal(8_080);
    expect(settings.trustedProxies).to.deep.equal(['127.0.0.0/8', '::1']);
    expect(settings.numCtx).to.equal(null);
    expect(settings.allowVolatileRedis).to.equal(false);
    expect(settings.workers).to.be.within(1, 8);
    expect(settings).to.be.frozen;
    expect(origins).to.include({ port: 'default', databaseUrl: 'environment', numCtx: 'absent' });
    expect(warnings).to.deep.equal([]);
  });

  it('tells every fault at once, each with name, wish and finding', () => {
    const faults = findFaults({
      DATABASE_URL: REQUIRED.DATABASE_URL,
      REDIS_URL: REQUIRED.REDIS_URL,
      NZGW_KEY_PEPPER: PEPPER,
      NZGW_PORT: 'eighty',
      NZGW_WORKERS: '0',
    });
    expect(faults).to.deep.equal([
      'OLLAMA_URL: wanted one or more http:// or https:// addresses without a path, ' +
        'separated by commas, got nothing',
      'NZGW_PORT: wanted a whole number from 0 to 65535, got "eighty"',
      'NZGW_WORKERS: wanted a whole number from 1 to 64, got "0"',
    ]);
  });

  it('never shows the value of a secret, nor a password in an address, nor a long text', () => {
    const faults = findFaults({
      DATABASE_URL: 'mysql://gw:hunter2@db/gateway',
      REDIS_URL: 'hunter2',
      OLLAMA_URL: 'http://gw:hunter2@ollama:11434',
      NZGW_KEY_PEPPER: 'hunter2',
      NZGW_KEY_PEPPER_PREVIOUS_FILE: 'hunter2',
      NZGW_PORT: '1'.repeat(1_000),
    });
    expect(faults).to.have.length(6);
    expect(faults.join()).to.not.include('hunter2');
    expect(faults.at(-1)).to.have.length.below(200);
  });

  it('asks only for what is wanted, so that a command needs no more than it uses', () => {
    const { settings } = loadSettings({ DATABASE_URL: REQUIRED.DATABASE_URL, NZGW_PORT: 'x' }, [
      'databaseUrl',
    ]);
    expect(settings).to.deep.equal({ databaseUrl: REQUIRED.DATABASE_URL });
  });

  it('counts an empty text as absent', () => {
    const { settings } = loadSettings({ ...REQUIRED, NZGW_PORT: '', NZGW_NUM_CTX: '' });
    expect(settings.port).to.equal(8_080);
    expect(settings.numCtx).to.equal(null);
  });

  it('reads X_FILE without the newline at its end', async () => {
    const path = await addFile('pepper', `${PEPPER}\n`);
    const { settings, origins } = loadSettings({ NZGW_KEY_PEPPER_FILE: path }, ['keyPepper']);
    expect(settings.keyPepper).to.equal(PEPPER);
    expect(origins.keyPepper).to.equal('file');
  });

  it('refuses X beside X_FILE, since one of them is not what was meant', async () => {
    const path = await addFile('pepper', PEPPER);
    expect(findFaults({ ...REQUIRED, NZGW_KEY_PEPPER_FILE: path })).to.deep.equal([
      'NZGW_KEY_PEPPER: wanted either NZGW_KEY_PEPPER or NZGW_KEY_PEPPER_FILE, got both',
    ]);
  });

  it('tells once of a file that cannot be read or is far too large', async () => {
    const large = await addFile('large', 'x'.repeat(70_000));
    expect(
      findFaults({ ...REQUIRED, NZGW_PORT_FILE: '/nowhere', LOG_LEVEL_FILE: large }),
    ).to.deep.equal([
      'NZGW_PORT_FILE: wanted the path of a readable file, got "/nowhere" (ENOENT)',
      `LOG_LEVEL_FILE: wanted the path of a readable file, got ${JSON.stringify(large)} (EFBIG)`,
    ]);
  });

  it('reads a systemd credential in either case, after the environment', async () => {
    await addFile('NZGW_KEY_PEPPER', PEPPER);
    await addFile('database_url', REQUIRED.DATABASE_URL);
    await addFile('LOG_LEVEL', 'debug');
    const { settings, origins } = loadSettings(
      { CREDENTIALS_DIRECTORY: files.path, LOG_LEVEL: 'warn' },
      ['keyPepper', 'databaseUrl', 'logLevel', 'port'],
    );
    expect(settings).to.deep.equal({
      keyPepper: PEPPER,
      databaseUrl: REQUIRED.DATABASE_URL,
      logLevel: 'warn',
      port: 8_080,
    });
    expect(origins.keyPepper).to.equal('credential');
  });

  it('tells of a credential that is there and cannot be read', async () => {
    await mkdir(join(files.path, 'NZGW_PORT'));
    await symlink('NZGW_HOST', join(files.path, 'NZGW_HOST'));
    const environment = { ...REQUIRED, CREDENTIALS_DIRECTORY: files.path };
    expect(findFaults(environment)).to.deep.equal([
      'NZGW_HOST: wanted a readable credential, got NZGW_HOST (ELOOP)',
      'NZGW_PORT: wanted a readable credential, got NZGW_PORT (EISDIR)',
    ]);
  });

  it('reads a file of settings, of which the environment wins', async () => {
    const pepper = await addFile('pepper', PEPPER);
    const path = await addFile(
      'env',
      `# ours\nNZGW_PORT=9000\nLOG_LEVEL="debug"\nNZGW_KEY_PEPPER_FILE=${pepper}\nNZGW_WORKRS=2\n`,
    );
    const { settings, origins, warnings } = loadSettings(
      { NZGW_ENV_FILE: path, NZGW_PORT: '9001' },
      ['port', 'logLevel', 'keyPepper'],
    );
    expect(settings).to.deep.equal({ port: 9_001, logLevel: 'debug', keyPepper: PEPPER });
    expect(origins).to.deep.equal({ port: 'environment', logLevel: 'env_file', keyPepper: 'file' });
    expect(warnings).to.deep.equal(['NZGW_WORKRS is not a setting; was NZGW_WORKERS meant?']);
  });

  it('lets X of the environment win over X_FILE of the file of settings', async () => {
    const path = await addFile('env', 'NZGW_PORT_FILE=/nowhere\n');
    const { settings } = loadSettings({ NZGW_ENV_FILE: path, NZGW_PORT: '9001' }, ['port']);
    expect(settings.port).to.equal(9_001);
  });

  it('refuses a file of settings that is not there', () => {
    expect(findFaults({ ...REQUIRED, NZGW_ENV_FILE: '/nowhere' })).to.deep.equal([
      'NZGW_ENV_FILE: wanted the path of a readable file, got "/nowhere" (ENOENT)',
    ]);
  });

  it('warns of unknown names with a guess, but for those of the tests', () => {
    const { warnings } = loadSettings({
      ...REQUIRED,
      NZGW_WORKER: '2',
      NZGW_COMPLETELY_ELSE: '1',
      NZGW_TEST_FULL: '1',
      OTHER: 'x',
    });
    expect(warnings).to.deep.equal([
      'NZGW_WORKER is not a setting; was NZGW_WORKERS meant?',
      'NZGW_COMPLETELY_ELSE is not a setting',
    ]);
  });

  it('checks settings against each other', () => {
    expect(
      findFaults({
        ...REQUIRED,
        NZGW_TRUST_POLL_MS: '400',
        NZGW_LEASE_RENEW_SECONDS: '11',
        MODEL_DISCOVERY_MAX_AGE_SECONDS: '30',
        NZGW_BODY_MEMORY_BYTES: '1048576',
        NZGW_ADMIN_PORT: '8080',
      }),
    ).to.deep.equal([
      'NZGW_TRUST_LEASE_MS: wanted at least twice NZGW_TRUST_POLL_MS (400), got "750"',
      'MODEL_DISCOVERY_MAX_AGE_SECONDS: wanted more than MODEL_DISCOVERY_INTERVAL_SECONDS (30), got "30"',
      'NZGW_LEASE_SECONDS: wanted at least three times NZGW_LEASE_RENEW_SECONDS (11), got "30"',
      'NZGW_READY_AFTER_MS: wanted at least twice NZGW_LEASE_RENEW_SECONDS (11 s) and 2000 ms more, got "12000"',
      'NZGW_BODY_MEMORY_BYTES: wanted at least NZGW_MAX_BODY_BYTES (10485760), got "1048576"',
      'NZGW_ADMIN_PORT: wanted another port than NZGW_PORT, got "8080"',
    ]);
  });

  it('lets both listeners take free ports, and the same port of two addresses', () => {
    loadSettings({ ...REQUIRED, NZGW_PORT: '0', NZGW_ADMIN_PORT: '0' });
    loadSettings({ ...REQUIRED, NZGW_ADMIN_PORT: '8080', NZGW_HOST: '0.0.0.0' });
  });

  async function addFile(name: string, text: string): Promise<string> {
    const path = join(files.path, name);
    await writeFile(path, text);
    return path;
  }

  function findFaults(environment: Environment): readonly string[] {
    try {
      loadSettings(environment);
    } catch (error) {
      if (error instanceof SettingsError) return error.faults;
      throw error;
    }
    return [];
  }
});
