import { expect } from 'chai';
import { DAY_SWEPT } from '../../../lib/audit/reject-event.ts';
import { storeEvents } from '../../../lib/audit/store-events.ts';
import { compareAudit } from '../../../lib/inspection/compare-audit.ts';
import { encodeEntry } from '../../../lib/ledger/entry-codec.ts';
import type { Entry } from '../../../lib/ledger/entry.ts';
import type { StreamEvent } from '../../../lib/ledger/event-stream.ts';
import { sweep } from '../../../lib/retention/sweep.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { openRetentionWorld } from '../../support/retention-world.ts';
import type { Account, RetentionWorld } from '../../support/retention-world.ts';
import { sampleEntry } from '../../support/sample-request.ts';
import { until } from '../../support/until.ts';

const LOST: Partial<Entry> = {
  ...{ status: 0, outcome: 'lost', countSource: 'estimated', firstTokenMs: null },
  chargedTokens: 500,
};
const REFUSED: Partial<Entry> = {
  ...{ status: 429, outcome: 'refused', refusalCode: 'rate_limit_exceeded', countSource: 'none' },
  ...{ promptTokens: 0, completionTokens: 0, chargedTokens: 0 },
};

/** What the drain does with entries of days that a sweeper has been at. */
describe('retention: entries that come late', function () {
  this.timeout(30_000);
  let world: RetentionWorld;
  let drain: PostgresClient;
  let brief: Account;

  beforeEach(async () => {
    world = await openRetentionWorld();
    drain = world.makeRuntimeClient();
    await drain.connect();
    brief = await world.makeAccount(1);
    await world.makeAccount(30);
  });
  afterEach(async () => {
    await drain.end();
    await world.close();
  });

  const event = (index: number, ago: number, changes: Partial<Entry> = {}): StreamEvent => {
    const id = `01980000-0000-7000-8000-${String(index).padStart(12, '0')}`;
    const admittedAtMs = Date.parse(`${world.day(ago)}T12:00:00Z`);
    const entry = sampleEntry({ id, admittedAtMs, ...brief, chargedTokens: 46, ...changes });
    return { streamId: `${index}-0`, entry, text: encodeEntry(entry) };
  };
  const store = async (...events: StreamEvent[]): Promise<readonly string[]> => {
    const rejections = await storeEvents(drain, 0, events);
    return rejections.map(({ event: { streamId }, sqlState }) => `${streamId} ${sqlState}`);
  };
  const sweepNow = (): ReturnType<typeof sweep> =>
    sweep(world.client, { wallDay: world.day(0), mayGoOn: () => true });
  const findDifferences = async (): Promise<readonly unknown[]> =>
    (await compareAudit(world.sql)).problems;

  for (const [kind, ago] of [
    ['of other tenants are kept', 5],
    ['was dropped', 40],
  ] as const) {
    it(`charges nothing again that comes twice, where the row is gone and the day ${kind}`, async () => {
      expect(await store(event(1, ago))).to.deep.equal([]);
      await sweepNow();
      expect(await world.readRows(brief)).to.deep.equal([]);
      // Its deletion from the stream was lost with Redis, say, which came back days later.
      expect(await store(event(1, ago), event(2, 0))).to.deep.equal([`1-0 ${DAY_SWEPT}`]);
      expect(await world.readRows(brief)).to.deep.equal(['0:1']);
      expect(await world.readLedger(brief)).to.deep.equal(['0:46', `${ago}:46 sealed`]);
      const { rows } = await world.sql.query<object>(
        'select shard, sqlstate, event from gateway_meta.rejected_events',
      );
      expect(rows).to.deep.equal([{ shard: 0, sqlstate: DAY_SWEPT, event: event(1, ago).text }]);
      await sweepNow();
      expect(await world.readPartitions()).to.not.include(40);
      expect(await findDifferences()).to.deep.equal([]);
    });
  }

  it('leaves the charge of a lost request as it is, once its row is gone', async () => {
    await store(event(1, 5, LOST));
    await sweepNow();
    expect(await store(event(1, 5))).to.deep.equal([`1-0 ${DAY_SWEPT}`]);
    expect(await world.readLedger(brief)).to.deep.equal(['5:500 sealed']);
  });

  it('replaces a lost row of a sealed day as long as it is there', async () => {
    await store(event(1, 5, LOST), event(2, 5));
    await world.sql.query('update gateway.token_ledger set sealed = true');
    expect(await store(event(1, 5))).to.deep.equal([]);
    expect(await world.readLedger(brief)).to.deep.equal(['5:92 sealed']);
    expect(await world.readRows(brief)).to.deep.equal(['5:2']);
  });

  it('charges once what comes for the first time to a swept or a dropped day', async () => {
    await store(event(1, 5, { model: 'other' }), event(2, 40, { model: 'other' }));
    await sweepNow();
    for (let time = 0; time < 2; time += 1) {
      expect(await store(event(3, 5), event(4, 40))).to.deep.equal([]);
      expect(await world.readRows(brief)).to.deep.equal(['5:1', '40:1']);
      expect(await world.readLedger(brief)).to.deep.equal(['5:92', '40:92']);
      expect(await findDifferences()).to.deep.equal([]);
    }
    const swept = await sweepNow();
    expect(swept).to.deep.include({ auditRows: 1, dropped: [world.day(40)] });
    expect(await world.readRows(brief)).to.deep.equal([]);
    expect(await world.readLedger(brief)).to.deep.equal(['5:92 sealed', '40:92 sealed']);
  });

  it('keeps no refusal beyond the retention of its tenant, and needs nobody to look at it', async () => {
    expect(await store(event(1, 5, REFUSED), event(2, 1, REFUSED))).to.deep.equal([]);
    expect(await world.readRows(brief)).to.deep.equal(['1:1']);
    await store(event(3, 5, LOST));
    expect(await store(event(3, 5, REFUSED))).to.deep.equal([]);
    expect(await world.readLedger(brief)).to.deep.equal(['5:0']);
  });

  it('knows a swept day for past where Postgres’s clock has gone back since', async () => {
    await store(event(1, 0));
    // As it was three days later.
    await world.sql.query(`update gateway.token_ledger set sealed = true`);
    await world.sql.query('delete from gateway.audit_log');
    await world.sql.query('insert into gateway_meta.sweeps (day) values ($1)', [world.day(-3)]);
    expect(await store(event(1, 0))).to.deep.equal([`1-0 ${DAY_SWEPT}`]);
    expect(await world.readLedger(brief)).to.deep.equal(['0:46 sealed']);
  });

  it('finds the poison among late entries too', async () => {
    await store(event(1, 5));
    await sweepNow();
    const late = [
      event(1, 5),
      event(2, 5, { id: 'none' }),
      event(3, 5, { model: 'x' }),
      event(4, 0),
    ];
    expect(await store(...late)).to.deep.equal([`1-0 ${DAY_SWEPT}`, '2-0 22P02']);
    expect(await world.readRows(brief)).to.deep.equal(['0:1', '5:1']);
  });

  it('waits for a sweeper that is at the same day, and then knows what it did', async () => {
    await store(event(1, 5));
    await world.client.query('begin');
    await world.client.query('select gateway.delete_audit_rows($1, $2, 10)', [
      ...[world.day(5), world.day(0)],
    ]);
    const stored = store(event(1, 5));
    await until(isWaiting, { withinMs: 5_000, what: 'the drain to wait' });
    await world.client.query('commit');
    expect(await stored).to.deep.equal([`1-0 ${DAY_SWEPT}`]);
    expect(await world.readLedger(brief)).to.deep.equal(['5:46 sealed']);
  });

  it('charges nothing twice whose line was made while a sweeper was between seal and deletion', async () => {
    await store(event(1, 5));
    // The test is where the sweeper would be only for a moment: in the seal, after its look at the lines.
    await world.sql.query(`
      create function public.wait() returns trigger language plpgsql
        as $$ begin perform pg_advisory_xact_lock_shared(1, 1); return null; end $$;
      create trigger wait before update of sealed on gateway.token_ledger execute function public.wait();
      select pg_advisory_lock(1, 1)`);
    const sweeper = world.makeRuntimeClient();
    await sweeper.connect();
    try {
      const deleted = sweeper.query('select gateway.delete_audit_rows($1, $2, 10)', [
        ...[world.day(5), world.day(0)],
      ]);
      await until(isWaiting, { withinMs: 5_000, what: 'the sweeper to seal' });
      expect(await store(event(2, 5, { model: 'other' }))).to.deep.equal([]);
      await world.sql.query('select pg_advisory_unlock(1, 1)');
      await deleted;
    } finally {
      await sweeper.end();
    }
    await sweepNow();
    expect(await world.readRows(brief)).to.deep.equal([]);
    expect(await store(event(2, 5, { model: 'other' }))).to.deep.equal([`2-0 ${DAY_SWEPT}`]);
    expect(await world.readLedger(brief)).to.deep.equal(['5:92 sealed']);
  });

  it('gives back what a lost request was charged, where both entries come at once', async () => {
    expect(await store(event(1, 5, LOST), event(1, 5, REFUSED))).to.deep.equal([]);
    expect(await world.readLedger(brief)).to.deep.equal([]);
  });

  it('is not overtaken by a sweeper, which leaves the day for later', async () => {
    await sweepNow();
    await store(event(1, 5, LOST), event(2, 40, LOST));
    const hit = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    const query = async (text: unknown, values?: unknown[]): Promise<unknown> => {
      if (text === 'commit') {
        hit.resolve(undefined);
        await goOn.promise;
      }
      return drain.query(text as string, values);
    };
    const stored = storeEvents({ query } as Pick<PostgresClient, 'query'>, 0, [
      ...[event(1, 5), event(2, 40)],
    ]);
    await hit.promise;
    const swept = await sweepNow();
    expect(swept).to.deep.include({ postponed: [world.day(40), world.day(5)], finished: false });
    goOn.resolve(undefined);
    expect(await stored).to.deep.equal([]);
    expect(await world.readLedger(brief)).to.deep.equal(['5:46', '40:46']);
    expect(await sweepNow()).to.deep.include({ auditRows: 1, dropped: [world.day(40)] });
    expect(await world.readLedger(brief)).to.deep.equal(['5:46 sealed', '40:46 sealed']);
  });

  it('makes a day while somebody reads the audit log, and one drain for another', async () => {
    const other = world.makeRuntimeClient();
    await other.connect();
    await world.sql.query('begin');
    await world.sql.query('select from gateway.audit_log limit 1');
    try {
      for (const client of [drain, other]) {
        await client.query(`begin; set local lock_timeout = '2s'`);
        await client.query('lock table only gateway.audit_log in row exclusive mode');
      }
      await drain.query('select gateway.ensure_audit_day($1)', [world.day(7)]);
      const made = other.query('select gateway.ensure_audit_day($1)', [world.day(7)]);
      await until(isWaiting, { withinMs: 5_000, what: 'the other to wait' });
      await drain.query('commit');
      await made;
      await other.query('commit');
      expect(await store(event(1, 7))).to.deep.equal([]);
    } finally {
      await other.end();
      await world.sql.query('commit');
    }
    expect(await world.readRows(brief)).to.deep.equal(['7:1']);
  });

  async function isWaiting(): Promise<boolean> {
    const { rows } = await world.sql.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  }
});
