import { expect } from 'chai';
import { readDocument, readFailure } from '../../support/run-nzgw.ts';
import type { SeededKey } from '../../support/seed-key.ts';
import { MODEL, openLedgerWorld } from './open-ledger-world.ts';
import type { LedgerWorld } from './open-ledger-world.ts';

const OTHER = 'registry.ollama.ai/library/qwen3:8b';

describe('cli: usage', function () {
  this.timeout(60_000);
  let world: LedgerWorld;
  let acme: SeededKey;
  let other: SeededKey;

  before(async () => {
    world = await openLedgerWorld();
    [acme, other] = [await world.makeKey('acme'), await world.makeKey('other')];
  });
  after(() => world.close());

  it('of an empty ledger is an empty list: exit 0', async () => {
    const run = await world.run('usage', '--json');
    expect(run).to.deep.equal({ code: 0, stdout: '{"data":[],"next_cursor":null}\n', stderr: '' });
  });

  describe('of three days', () => {
    before(async () => {
      const today = new Date().toISOString();
      const rows = [
        { ...acme, at: '2026-01-05', promptTokens: 7, completionTokens: 3 },
        { ...acme, at: '2026-01-06', promptTokens: 20, completionTokens: 0, model: OTHER },
        { ...other, at: '2026-01-06', promptTokens: 1, completionTokens: 1 },
        { ...acme, at: today, promptTokens: 1_000, completionTokens: 500 },
      ];
      for (const row of rows) await world.addLedger(row);
    });

    it('tells tenant, key and model apart, in the promised shape', async () => {
      const run = await world.run('usage', 'acme', '--json');
      expect(run.stderr).to.equal('');
      expect(readDocument(run)).to.deep.equal({
        data: [
          toDocument(acme, { model: MODEL, requests: 2, prompt: 1_007, completion: 503 }),
          toDocument(acme, { model: OTHER, requests: 1, prompt: 20, completion: 0 }),
        ],
        next_cursor: null,
      });
    });

    it('leaves null what is not told apart, and no key out', async () => {
      const { data } = readDocument(await world.run('usage', '--by', 'day', '--json'));
      const [first, second] = data as [object, object];
      expect(first).to.deep.equal({
        ...toDocument(acme, { model: null, requests: 1, prompt: 7, completion: 3 }),
        key: null,
        day: '2026-01-05',
      });
      expect(second).to.include({ tenant: 'acme', day: '2026-01-06', charged_tokens: 20 });
    });

    it('goes by whole days, whatever the unit, and says so', async () => {
      const run = await world.run('usage', '--since', '24h', '--by', 'day');
      const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
      expect(run.stderr).to.equal(`Whole days (UTC), from ${yesterday} on.\n`);
      expect(run.stdout).to.match(/^DAY +TENANT +REQUESTS +PROMPT +COMPLETION +CHARGED\n/);
      expect(run.stdout).to.include('1,500').and.not.include('2026-01');
      const since = await world.run('usage', 'acme', '--since', '2026-01-06', '--by', 'key');
      expect(since.stdout).to.match(/nz_\w{12} +2 +1,020 +500 +1,520\n$/);
    });

    it('tells several apart at once', async () => {
      const run = await world.run('usage', '--by', 'key,model', '--by', 'day', '--json');
      expect(readDocument(run)['data']).to.have.lengthOf(4);
    });

    it('writes CSV as RFC 4180 has it, and quotes what needs it', async () => {
      await world.addLedger({ ...other, at: '2026-01-07', model: 'a "b", c' });
      const run = await world.run('usage', 'other', '--since', '2026-01-06', '--csv');
      await world.sql.query(`delete from gateway.token_ledger where model = 'a "b", c'`);
      const key = `nz_${other.publicId}`;
      expect(run.stdout.split('\r\n')).to.deep.equal([
        'tenant,key,model,requests,prompt_tokens,completion_tokens,charged_tokens,day',
        `other,${key},"a ""b"", c",1,0,0,0,`,
        `other,${key},${MODEL},1,1,1,2,`,
        '',
      ]);
    });
  });

  it('refuses what it does not know: exit 2, and a tenant that is not there: exit 3', async () => {
    const wrong = [
      ['--by', 'hour'],
      ['--since', 'soon'],
      ['--since', '2999-01-01'],
      ['--csv', '--json'],
    ];
    for (const args of wrong) {
      const run = await world.run('usage', ...args);
      expect([run.code, run.stdout], args.join(' ')).to.deep.equal([2, '']);
    }
    const run = await world.run('usage', 'nobody', '--json');
    expect(run.code).to.equal(3);
    expect(readFailure(run)['code']).to.equal('tenant_not_found');
  });
});

interface Told {
  readonly model: string | null;
  readonly requests: number;
  readonly prompt: number;
  readonly completion: number;
}

function toDocument(key: SeededKey, { model, requests, prompt, completion }: Told): object {
  return {
    tenant: 'acme',
    key: `nz_${key.publicId}`,
    model,
    requests,
    prompt_tokens: prompt,
    completion_tokens: completion,
    charged_tokens: prompt + completion,
    day: null,
  };
}
