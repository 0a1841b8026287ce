import { expect } from 'chai';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { readDocument } from '../../support/run-nzgw.ts';
import type { SeededKey } from '../../support/seed-key.ts';
import { MODEL, openLedgerWorld } from './open-ledger-world.ts';
import type { LedgerWorld } from './open-ledger-world.ts';

describe('cli: holds', function () {
  this.timeout(60_000);
  let world: LedgerWorld;
  let acme: SeededKey;
  let other: SeededKey;

  before(async () => {
    world = await openLedgerWorld();
    [acme, other] = [await world.makeKey('acme'), await world.makeKey('other')];
  });
  beforeEach(() => world.reset());
  after(() => world.close());

  it('of a Redis where nothing runs is an empty list: exit 0', async () => {
    const run = await world.run('holds', '--json');
    expect(run).to.deep.equal({ code: 0, stdout: '{"data":[],"next_cursor":null}\n', stderr: '' });
  });

  it('tells who holds what for how long, and nothing that a client sent', async () => {
    const reply = await world.admit(acme);
    if (reply.kind !== 'ok') throw new Error(reply.kind);
    const progress = { promptTokens: 12, completionTokens: 30 };
    await world.ledger.renew(0, [{ hold: reply.hold, ...progress }], 1_000);
    const run = await world.run('holds', '--json');
    const [hold, ...others] = readDocument(run)['data'] as Record<string, unknown>[];
    expect(others).to.deep.equal([]);
    const { lapses_at: lapsesAt, lapses_in_ms: lapsesInMs, ...rest } = hold ?? {};
    expect(rest).to.deep.equal({
      id: reply.hold.id,
      tenant: 'acme',
      key: `nz_${acme.publicId}`,
      model: MODEL,
      admitted_at: new Date(reply.nowMs).toISOString(),
      held_tokens: 700,
      prompt_tokens: 12,
      completion_tokens: 30,
    });
    expect(Date.parse(String(lapsesAt))).to.be.greaterThan(reply.nowMs + 29_000);
    expect(lapsesInMs).to.be.within(1, 30_000);
    expect(run.stdout).not.to.match(/client-words|192\.0\.2\.7/);
    const table = await world.run('holds');
    expect(table.stdout).to.match(/^TENANT +KEY +MODEL +ADMITTED +HELD +PROGRESS +LAPSES IN/);
    expect(table.stdout).to.match(/ 700 +42 +\d+ s /);
  });

  it('tells those of one tenant alone, oldest first, and no settled ones', async () => {
    const [first, second] = [await world.admit(acme), await world.admit(acme)];
    const third = await world.admit(acme);
    await world.admit(other);
    if (first.kind !== 'ok' || second.kind !== 'ok' || third.kind !== 'ok') throw new Error('no');
    await world.settle(acme, second.hold.id, second.nowMs, 5);
    const { data } = readDocument(await world.run('holds', 'acme', '--json'));
    const ids = (data as { id: string }[]).map(({ id }) => id);
    expect(ids).to.have.members([first.hold.id, third.hold.id]);
    const all = readDocument(await world.run('holds', '--json'))['data'] as unknown[];
    expect(all).to.have.lengthOf(3);
    expect((await world.run('holds', 'nobody')).code).to.equal(3);
  });

  it('shows a hold whose facts cannot be read, without a model', async () => {
    for (const facts of ['no JSON', '{}']) {
      await world.reset();
      const reply = await world.admit(acme);
      if (reply.kind !== 'ok') throw new Error(reply.kind);
      await world.redis.hset(KEYS.hold(0, reply.hold.id), 'row', facts);
      const [hold] = readDocument(await world.run('holds', '--json'))['data'] as object[];
      expect(hold).to.include({ id: reply.hold.id, model: null });
    }
    expect((await world.run('holds')).stdout).to.match(/ - +20/);
  });

  it('shows an id where nobody has it any more', async () => {
    const stranger = { ...acme, keyId: '00000000-0000-4000-8000-00000000000f', tenantId: 'gone' };
    await world.admit(stranger);
    const [hold] = readDocument(await world.run('holds', '--json'))['data'] as object[];
    expect(hold).to.include({ key: stranger.keyId, tenant: 'gone' });
  });
});
