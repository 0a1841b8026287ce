import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeKey } from '../../../lib/auth/key-format.ts';
import { readDocument, readFailure, runNzgw } from '../../support/run-nzgw.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

const PASSWORD = 'password-that-nobody-may-see';
/** Nothing listens on port 1 of loopback. */
const NOBODY = `postgres://gw:${PASSWORD}@127.0.0.1:1/gw`;

describe('cli: what goes wrong', function () {
  this.timeout(60_000);
  let database: TestDatabase;

  before(async () => {
    database = await makeDatabase();
  });

  after(() => database.drop());

  it('alone it prints the help on stdout: exit 0', async () => {
    const [bare, help] = await Promise.all([runNzgw([]), runNzgw(['help'])]);
    expect(bare).to.deep.equal(help);
    expect(bare.code).to.equal(0);
    expect(bare.stdout).to.include('Usage: nzgw COMMAND');
    expect(bare.stderr).to.equal('');
  });

  it('tells a command its help without any setting, and its versions', async () => {
    const [page, codes, version] = await Promise.all([
      runNzgw(['create-key', '--help']),
      runNzgw(['help', 'exit-codes']),
      runNzgw(['--version']),
    ]);
    expect(page.stdout).to.include('--max-output-tokens N');
    expect(codes.stdout).to.match(/6 +a needed service does not answer/);
    expect(version.stdout).to.match(/^nzgw \d+\.\d+\.\d+ \(node v24\./);
  });

  it('a wrong line is exit 2, with a guess, and nothing on stdout', async () => {
    const [command, option, json] = await Promise.all([
      runNzgw(['lits-keys']),
      runNzgw(['list-keys', '--jsn']),
      runNzgw(['list-keys', '--json', '--frob']),
    ]);
    expect(command).to.deep.equal({
      code: 2,
      stdout: '',
      stderr: 'error: unknown command "lits-keys"\n  hint: did you mean list-keys?\n',
    });
    expect(option).to.include({ code: 2, stdout: '' });
    expect(option.stderr).to.include('did you mean --json?');
    expect(json.stdout).to.equal('');
    expect(readFailure(json)).to.deep.equal({
      code: 'usage',
      message: 'unknown option --frob',
      hint: null,
      exit_code: 2,
    });
  });

  it('a key in an argument is refused and not repeated: exit 2', async () => {
    const { key, publicId } = makeKey();
    const run = await runNzgw(['revoke-key', key]);
    expect([run.code, run.stdout]).to.deep.equal([2, '']);
    expect(run.stderr).not.to.include(publicId);
  });

  it('a wrong value names the option and what was wanted: exit 2', async () => {
    const env = { DATABASE_URL: database.url };
    const run = await runNzgw(['update-tenant', 'acme', '--rpm', 'banana', '--budget', '5'], {
      env,
    });
    expect(run.code).to.equal(2);
    expect(run.stderr)
      .to.include('--rpm: wanted a count')
      .and.include('--budget: wanted tokens/day');
    const nothing = await runNzgw(['update-tenant', 'acme'], { env });
    expect(nothing.stderr).to.include('nothing to change');
  });

  it('every setting that is missing is named at once: exit 2', async () => {
    const run = await runNzgw(['create-key', 'acme', '--json']);
    expect([run.code, run.stdout]).to.deep.equal([2, '']);
    expect(readFailure(run)['message']).to.include('DATABASE_URL').and.include('NZGW_KEY_PEPPER');
  });

  it('a Postgres that does not answer is exit 6, and its address stays secret', async () => {
    const runs = await Promise.all([
      runNzgw(['list-keys', '--debug'], { env: { DATABASE_URL: NOBODY } }),
      runNzgw(['migrate', '--json'], { env: { DATABASE_URL: NOBODY } }),
    ]);
    for (const run of runs) {
      expect([run.code, run.stdout]).to.deep.equal([6, '']);
      expect(run.stderr).not.to.include(PASSWORD);
    }
    expect(runs[0].stderr).to.include('error: Postgres does not answer').and.include('    at ');
  });

  it('a user without rights is exit 4', async () => {
    const client = await connect(database.url);
    await client.query('create role visitor login');
    await client.end();
    const url = database.url.replace(/user=\w+/, 'user=visitor');
    const run = await runNzgw(['list-tenants', '--json'], { env: { DATABASE_URL: url } });
    expect([run.code, run.stdout]).to.deep.equal([4, '']);
    expect(readFailure(run)['code']).to.equal('postgres_refused');
  });

  it('an unforeseen failure is exit 1 and says nothing of what it met', async () => {
    const client = await connect(database.url);
    await client.query(`create function gateway.fail() returns trigger language plpgsql
      as $$ begin raise exception 'words of the database'; end $$`);
    await client.query(`create trigger fail before insert on gateway.tenants
      execute function gateway.fail()`);
    await client.end();
    const run = await runNzgw(['create-tenant', 'acme'], { env: { DATABASE_URL: database.url } });
    expect(run).to.deep.equal({
      code: 1,
      stdout: '',
      stderr: 'error: Postgres refused a statement (SQLSTATE P0001)\n',
    });
  });

  it('an upstream that does not answer is exit 6', async () => {
    const run = await runNzgw(['list-models'], { env: { OLLAMA_URL: 'http://127.0.0.1:1' } });
    expect([run.code, run.stdout]).to.deep.equal([6, '']);
    expect(run.stderr).to.include('http://127.0.0.1:1: upstream_unreachable');
  });

  it('config shows what is in force and from where, and no secret', async () => {
    const directory = await makeTemporaryDirectory('cli');
    const file = join(directory.path, 'env');
    await writeFile(
      file,
      `NZGW_PORT=8123\nDATABASE_URL=${NOBODY}\nREDIS_URL=redis://127.0.0.1:1\n`,
    );
    const env = { OLLAMA_URL: 'http://127.0.0.1:1', NZGW_KEY_PEPPER: `${PASSWORD}-${PASSWORD}` };
    const run = await runNzgw(['config', '--env-file', file, '--json'], { env });
    await directory.remove();
    expect(run.code, run.stderr).to.equal(0);
    expect(`${run.stdout}${run.stderr}`).not.to.include(PASSWORD);
    const rows = readDocument(run)['data'] as { name: string }[];
    const find = (name: string): unknown => rows.find((row) => row.name === name);
    expect(find('NZGW_PORT')).to.deep.equal({
      name: 'NZGW_PORT',
      value: 8_123,
      origin: 'env_file',
      secret: false,
    });
    expect(find('DATABASE_URL')).to.include({ value: '***', origin: 'env_file' });
    expect(find('NZGW_KEY_PEPPER_PREVIOUS')).to.include({ value: null, origin: 'absent' });
  });

  it('config tells all faults at once, and one setting on its own', async () => {
    const env = { NZGW_PORT: 'http', LOG_LEVEL: 'loud' };
    const [all, one, unknown] = await Promise.all([
      runNzgw(['config'], { env }),
      runNzgw(['config', 'NZGW_HOST'], { env }),
      runNzgw(['config', 'NZGW_PROT'], { env }),
    ]);
    expect([all.code, all.stdout]).to.deep.equal([2, '']);
    expect(all.stderr).to.include('NZGW_PORT').and.include('LOG_LEVEL').and.include('REDIS_URL');
    expect(one.stdout).to.match(/^NAME +VALUE +ORIGIN\nNZGW_HOST +127\.0\.0\.1 +default\n$/);
    expect(unknown.code).to.equal(3);
    expect(unknown.stderr).to.include('did you mean NZGW_PORT?');
  });
});
