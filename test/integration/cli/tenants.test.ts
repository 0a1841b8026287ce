import { expect } from 'chai';
import { makeKey } from '../../../lib/auth/key-format.ts';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import { readDocument, readFailure, runNzgw } from '../../support/run-nzgw.ts';
import type { Run } from '../../support/run-nzgw.ts';
import { connect } from '../../support/test-postgres.ts';
import { openCli } from './open-cli.ts';
import type { Cli } from './open-cli.ts';

describe('cli: tenants, verdicts, models', function () {
  this.timeout(60_000);
  let cli: Cli;
  let key = '';

  before(async () => {
    cli = await openCli();
    await cli.run('migrate');
    await cli.run('create-tenant', 'acme', '--all-models');
    key = (await cli.run('create-key', 'acme', '-q')).stdout.trim();
  });

  after(() => cli.database.drop());

  it('an empty list is an answer: exit 0', async () => {
    await cli.run('create-tenant', 'Nobody here', '--slug', 'idle');
    const run = await cli.run('list-keys', 'idle', '--json');
    expect(run).to.deep.equal({ code: 0, stdout: '{"data":[],"next_cursor":null}\n', stderr: '' });
  });

  it('list-tenants and show-tenant tell all there is, and nothing vanishes from the JSON', async () => {
    const { data } = readDocument(await cli.run('list-tenants', '--json')) as { data: object[] };
    const shown = readDocument(await cli.run('show-tenant', 'acme', '--json'));
    expect(data).to.have.lengthOf(2);
    expect(data[0]).to.deep.equal(shown);
    expect(shown).to.include({ slug: 'acme', active_keys: 1, max_num_ctx: null });
    const table = await cli.run('list-tenants');
    expect(table.stdout)
      .to.match(/^SLUG +STATUS +KEYS +RPM/)
      .and.not.include('\u001b');
  });

  it('update-tenant changes all it can', async () => {
    const args = ['--slug', 'acme-2', '--name', '0123', '--no-all-models', '--models', 'a,b'];
    const more = ['--allow-runtime-options', '--max-num-ctx', '8k', '--audit-retention-days', '30'];
    const run = await cli.run('update-tenant', 'acme', ...args, ...more, '--rpm', '0', '--json');
    expect(run.code, run.stderr).to.equal(0);
    const document = readDocument(run);
    expect(document).to.include({ slug: 'acme-2', name: '0123', allow_runtime_options: true });
    expect(document).to.include({ max_num_ctx: 8_000, audit_retention_days: 30 });
    expect(document['limits']).to.deep.include({ rpm: 0, all_models: false, models: ['a', 'b'] });
    const back = await cli.run(
      'update-tenant',
      'acme-2',
      '--slug',
      'acme',
      '--max-num-ctx',
      'none',
    );
    expect(back.stdout).to.include('max num_ctx      no limit');
  });

  it('a slug that is taken is a conflict, a tenant that is not there is exit 3', async () => {
    const taken = await cli.run('update-tenant', 'acme', '--slug', 'idle', '--json');
    expect([taken.code, taken.stdout]).to.deep.equal([5, '']);
    expect(readFailure(taken)['code']).to.equal('tenant_exists');
    const nobody = await cli.run('create-key', 'nobody', '--json');
    expect([nobody.code, nobody.stdout]).to.deep.equal([3, '']);
    expect(readFailure(nobody)).to.deep.equal({
      code: 'tenant_not_found',
      message: 'no tenant "nobody"',
      hint: 'nzgw list-tenants',
      exit_code: 3,
    });
  });

  it('a suspended tenant makes its keys fail, and works again when resumed', async () => {
    const suspended = readDocument(await cli.run('suspend-tenant', 'acme', '--json'));
    expect(suspended).to.include({ slug: 'acme', status: 'suspended', already: false });
    expect(await verdictOn(key)).to.deep.equal([4, 'tenant_suspended']);
    const resumed = await cli.run('resume-tenant', 'acme');
    expect(resumed.stdout).to.equal('Tenant acme is active.\n');
    expect(await verdictOn(key)).to.deep.equal([0, 'active']);
  });

  it('verify-key tells what is wrong with a key: exit 4', async () => {
    const flipped = key.endsWith('0') ? '1' : '0';
    expect(await verdictOn(`${key.slice(0, -1)}${flipped}`)).to.deep.equal([4, 'malformed']);
    expect(await verdictOn(makeKey().key)).to.deep.equal([4, 'unknown']);
    const otherPepper = {
      ...cli.env,
      NZGW_KEY_PEPPER: 'another pepper of more than thirty-two bytes',
    };
    expect(await verdictOn(key, otherPepper)).to.deep.equal([4, 'wrong_pepper']);
    const previous = { ...otherPepper, NZGW_KEY_PEPPER_PREVIOUS: cli.env['NZGW_KEY_PEPPER'] ?? '' };
    expect(await verdictOn(key, previous)).to.deep.equal([0, 'active']);
  });

  it('verify-key without a key on stdin does not wait: exit 2', async () => {
    const run = await cli.run('verify-key');
    expect([run.code, run.stdout]).to.deep.equal([2, '']);
    expect(run.stderr).to.include('no key on stdin');
  });

  it('a closed tenant gets no key: exit 5', async () => {
    const client = await connect(cli.database.url);
    await client.query(`update gateway.tenants set status = 'closed' where slug = 'idle'`);
    await client.end();
    const run = await cli.run('create-key', 'idle');
    expect([run.code, run.stdout]).to.deep.equal([5, '']);
    expect((await cli.run('resume-tenant', 'idle')).code).to.equal(5);
  });

  it('list-models asks the upstreams and tells who may use what', async () => {
    const ollama = await startFakeOllama();
    try {
      const env = { ...cli.env, OLLAMA_URL: ollama.url };
      await cli.run('update-tenant', 'acme', '--all-models');
      const { data } = readDocument(await runNzgw(['list-models', '--json'], { env })) as {
        data: Record<string, unknown>[];
      };
      expect(data).not.to.deep.equal([]);
      expect(data[0]).to.have.all.keys('name', 'size', 'digest', 'upstream', 'tenants');
      expect(data[0]).to.deep.include({ upstream: ollama.url, tenants: ['acme'] });
      const silent = { ...env, OLLAMA_URL: `${ollama.url},http://127.0.0.1:1` };
      const table = await runNzgw(['list-models'], { env: silent });
      expect(table.stdout).to.match(/^NAME +SIZE +DIGEST +UPSTREAM +TENANTS\n/);
      expect(table.stderr).to.equal('warning: http://127.0.0.1:1: upstream_unreachable\n');
      const alone = await runNzgw(['list-models', '--json'], { env: { OLLAMA_URL: ollama.url } });
      expect((readDocument(alone) as { data: object[] }).data[0]).to.deep.include({
        tenants: null,
      });
    } finally {
      await ollama.close();
    }
  });

  async function verdictOn(
    presented: string,
    env: Readonly<Record<string, string>> = cli.env,
  ): Promise<readonly unknown[]> {
    const run: Run = await runNzgw(['verify-key', '--json'], { env, input: presented });
    return [run.code, readDocument(run)['status']];
  }
});
