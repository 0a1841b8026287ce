import { expect } from 'chai';
import { readPublicId } from '../../../lib/auth/key-format.ts';
import { readDocument, readFailure, runNzgw } from '../../support/run-nzgw.ts';
import type { Run } from '../../support/run-nzgw.ts';
import { noteSecret } from '../../support/secret-grep.ts';
import { connect } from '../../support/test-postgres.ts';
import { openCli } from './open-cli.ts';
import type { Cli } from './open-cli.ts';

const NO_LIMITS = {
  rpm: null,
  tpm: null,
  concurrency: null,
  budget: null,
  budget_period: null,
  max_output_tokens: null,
};

/** In order: each step stands on the one before, as for an operator with an empty database. */
describe('cli: from an empty database to a revoked key', function () {
  this.timeout(60_000);
  let cli: Cli;
  let key = '';

  before(async () => {
    cli = await openCli();
  });

  after(() => cli.database.drop());

  it('a command before the first migration says which one to run: exit 5', async () => {
    const run = await cli.run('list-tenants', '--json');
    expectFailure(run, 5);
    expect(readFailure(run)).to.include({ code: 'schema_missing', hint: 'nzgw migrate' });
  });

  it('migrate --status tells what is pending and changes nothing: exit 8', async () => {
    const run = await cli.run('migrate', '--status', '--json');
    expect(run.code).to.equal(8);
    expect(readDocument(run)).to.deep.include({ applied: [], shards: null });
    expect(readDocument(run)['pending']).to.include('000001_gateway');
  });

  it('migrate applies it, and once more there is nothing to do: exit 0', async () => {
    const first = await cli.run('migrate', '--shards', '16');
    expect(first.code, first.stderr).to.equal(0);
    expect(first.stdout).to.include('applied 000001_gateway');
    const second = readDocument(await cli.run('migrate', '--json'));
    expect(second).to.deep.include({ applied_now: [], pending: [], shards: 16 });
    expect((await cli.run('migrate', '--status')).code).to.equal(0);
  });

  it('migrate does not change the number of shards afterwards: exit 5', async () => {
    const run = await cli.run('migrate', '--shards', '2', '--json');
    expectFailure(run, 5);
    expect(readFailure(run)['code']).to.equal('schema_shards_fixed');
  });

  it('a new tenant may use nothing, and is told so', async () => {
    const run = await cli.run('create-tenant', 'Büro 007');
    expect(run.code, run.stderr).to.equal(0);
    expect(run.stdout).to.include('Created tenant buro-007');
    expect(run.stderr).to.include('No model is allowed yet');
    expect(run.stderr).to.include('nzgw update-tenant buro-007 --models');
  });

  it('create-tenant --json has exactly the promised shape, all limits in it', async () => {
    const limits = ['--rpm', '60', '--tpm', '100k', '--concurrency', '4', '--budget', '1M/month'];
    const more = ['--max-output-tokens', '2k', '--models', 'llama3:8b,qwen3:*'];
    const run = await cli.run('create-tenant', 'acme', ...limits, ...more, '--json');
    expect(run.stderr).to.equal('');
    const document = readDocument(run);
    expect(document).to.have.all.keys('id', 'slug', 'name', 'status', 'limits');
    expect(document).to.include({ slug: 'acme', name: 'acme', status: 'active' });
    expect(document['limits']).to.deep.equal({
      rpm: 60,
      tpm: 100_000,
      concurrency: 4,
      budget: 1_000_000,
      budget_period: 'month',
      max_output_tokens: 2_000,
      all_models: false,
      models: ['llama3:8b', 'qwen3:*'],
    });
  });

  it('the same tenant again is a conflict: exit 5', async () => {
    const run = await cli.run('create-tenant', 'ACME');
    expectFailure(run, 5);
    expect(run.stderr).to.equal(
      'error: there is a tenant "acme"\n  hint: choose another with --slug\n',
    );
  });

  it('create-key prints the key alone on stdout, so KEY=$(…) holds just it', async () => {
    const run = await cli.run('create-key', 'acme', '--name', '007', '--expires', '90d');
    expect(run.code, run.stderr).to.equal(0);
    key = run.stdout.trimEnd();
    noteSecret(key);
    expect(run.stdout).to.equal(`${key}\n`);
    expect(readPublicId(key)).to.be.a('string');
    expect(run.stderr).to.include('only time').and.not.include(key);
  });

  it('create-key --json has exactly the promised shape', async () => {
    const run = await cli.run('create-key', 'acme', '--no-all-models', '--json');
    expect(run.stderr).to.equal('');
    const document = readDocument(run);
    noteSecret(String(document['key']));
    expect(Object.keys(document)).to.deep.equal([
      'id',
      'key',
      'prefix',
      'tenant',
      'name',
      'created_at',
      'expires_at',
      'limits',
    ]);
    expect(document).to.include({ tenant: 'acme', name: '', expires_at: null });
    expect(document['created_at']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(document['limits']).to.deep.equal({ ...NO_LIMITS, all_models: false, models: null });
    expect(String(document['key'])).to.match(new RegExp(`^${String(document['prefix'])}_`));
  });

  it('neither the key nor its secret is in the database', async () => {
    const client = await connect(cli.database.url);
    const { rows } = await client.query<{ row: string }>(
      'select k::text as row from gateway.api_keys k',
    );
    await client.end();
    const [, , secret = ''] = key.split('_');
    expect(rows).to.have.lengthOf(2);
    expect(rows.filter(({ row }) => row.includes(secret))).to.deep.equal([]);
  });

  it('list-keys and show-key tell the name as it was written, and no secret', async () => {
    const table = await cli.run('list-keys', 'acme');
    expect(table.stdout.split('\n')[0]).to.match(/^KEY +TENANT +STATUS +EXPIRES +CREATED +NAME$/);
    const start = key.slice(3, 9);
    const shown = readDocument(await cli.run('show-key', start, '--json'));
    expect(shown).to.include({ name: '007', status: 'active', expired: false, revoked_at: null });
    expect(`${table.stdout}${JSON.stringify(shown)}`).not.to.match(/nz_\w{12}_|argon2/);
  });

  it('update-key changes what is named and takes a limit away with none', async () => {
    const start = key.slice(0, 12);
    await cli.run('update-key', start, '--rpm', '5', '--all-models', '--expires', 'never');
    const args = ['--rpm', 'none', '--inherit-models', '--models', 'llama3:8b', '--json'];
    const document = readDocument(await cli.run('update-key', start, ...args));
    expect(document).to.deep.include({ expires_at: null, name: '007' });
    expect(document['limits']).to.deep.include({
      rpm: null,
      all_models: null,
      models: ['llama3:8b'],
    });
  });

  it('verify-key says yes to the key on stdin: exit 0', async () => {
    const run = await runNzgw(['verify-key', '--json'], { env: cli.env, input: `${key}\n` });
    expect(run.code, run.stderr).to.equal(0);
    expect(readDocument(run)).to.deep.equal({
      ok: true,
      prefix: key.slice(0, 15),
      tenant: 'acme',
      status: 'active',
      tenant_status: 'active',
      expires_at: null,
    });
  });

  it('rotate-key prints the next key alone, and with --grace 0 the old one has ended', async () => {
    const made = readDocument(await cli.run('create-key', 'acme', '--rpm', '7', '--json'));
    const kept = await cli.run('rotate-key', String(made['id']), '--json');
    expect(kept.code, kept.stderr).to.equal(0);
    const next = readDocument(kept);
    expect(next).to.have.all.keys(...Object.keys(made), 'replaces');
    expect(next['key']).to.match(/^nz_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
    expect(next['limits']).to.deep.include({ rpm: 7 });
    expect(next['replaces']).to.include({ id: made['id'], status: 'active', gateways: null });

    const ended = await cli.run('rotate-key', String(next['id']), '--grace', '0');
    expect(ended.stdout).to.match(/^nz_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\n$/);
    expect(ended.stderr).to.include('The old key is revoked: no gateway is running.');
    const again = await cli.run('rotate-key', String(next['id']));
    expectFailure(again, 5);
    expectFailure(await cli.run('rotate-key', String(made['id']), '--grace', 'soon'), 2);
  });

  it('revoke-key --json has the promised shape, and once more it was so already: exit 0', async () => {
    const first = await cli.run('revoke-key', key.slice(3, 9), '--reason', 'leaked', '--json');
    const second = await cli.run('revoke-key', key.slice(0, 15), '--json');
    const { id } = readDocument(first);
    const revoked = { id, status: 'revoked' };
    const none = { confirmed: 0, gateways: 0, ms: 0 };
    expect(readDocument(first)).to.deep.equal({ ...revoked, already: false, ...none });
    expect(readDocument(second)).to.deep.equal({ ...revoked, already: true, ...none });
    expect([first.code, second.code]).to.deep.equal([0, 0]);
  });

  it('verify-key says no to it now: exit 4', async () => {
    const run = await runNzgw(['verify-key'], { env: cli.env, input: key });
    expect(run.code).to.equal(4);
    expect(run.stdout).to.equal(`${key.slice(0, 15)} (acme) is revoked.\n`);
  });
});

function expectFailure(run: Run, code: number): void {
  expect(run.code, run.stderr).to.equal(code);
  expect(run.stdout).to.equal('');
}
