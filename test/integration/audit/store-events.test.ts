import { expect } from 'chai';
import { NOT_AN_ENTRY } from '../../../lib/audit/reject-event.ts';
import { storeEvents } from '../../../lib/audit/store-events.ts';
import { decodeEntry, encodeEntry } from '../../../lib/ledger/entry-codec.ts';
import type { Entry } from '../../../lib/ledger/entry.ts';
import type { StreamEvent } from '../../../lib/ledger/event-stream.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { KEY_ID, sampleEntry, TENANT_ID } from '../../support/sample-request.ts';
import { seedAccount } from '../../support/seed-account.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

const makeId = (index: number): string =>
  `01980000-0000-7000-8000-${String(index).padStart(12, '0')}`;
const event = (index: number, text: string): StreamEvent => ({
  streamId: `${index}-0`,
  entry: decodeEntry(text),
  text,
});
const eventOf = (index: number, changes: Partial<Entry> = {}): StreamEvent =>
  event(index, encodeEntry(sampleEntry({ id: makeId(index), ...changes })));

describe('audit/store-events', () => {
  let database: TestDatabase;
  let client: PostgresClient;
  beforeEach(async function () {
    this.timeout(60_000);
    database = await makeDatabase();
    client = await connect(database.url);
    await seedAccount(client);
  });
  afterEach(async () => {
    await client.end();
    await database.drop();
  });

  const countRows = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>(
      'select count(*) from gateway.audit_log',
    );
    return rows[0]?.count ?? -1;
  };
  const readRejected = async (): Promise<{ sqlstate: string; event: string }[]> => {
    const { rows } = await client.query<{ sqlstate: string; event: string }>(
      'select sqlstate, event from gateway_meta.rejected_events order by id',
    );
    return rows;
  };

  it('makes a row that tells all of the entry', async () => {
    await storeEvents(client, 0, [eventOf(1)]);
    const { rows } = await client.query('select * from gateway.audit_log');
    expect(rows).to.deep.equal([
      {
        id: makeId(1),
        admitted_at: new Date(1_764_000_000_123),
        tenant_id: TENANT_ID,
        key_id: KEY_ID,
        client_address: '192.0.2.0/24',
        client_request_id: 'client-0001',
        dialect: 'native',
        endpoint: 'chat',
        model: 'llama3:latest',
        status: 200,
        outcome: 'ok',
        refusal_code: null,
        prompt_tokens: 12,
        completion_tokens: 34,
        charged_tokens: 46,
        count_source: 'reported',
        first_token_ms: 20,
        duration_ms: 400,
        bytes_out: 1_234,
        streamed: true,
      },
    ]);
  });

  it('makes the partitions of all days that a batch needs', async () => {
    const dayMs = 86_400_000;
    const midnightMs = 1_763_942_400_000;
    await storeEvents(client, 0, [
      eventOf(1, { admittedAtMs: midnightMs - 1 }),
      eventOf(2, { admittedAtMs: midnightMs }),
      eventOf(3, { admittedAtMs: midnightMs + 40 * dayMs }),
    ]);
    const { rows } = await client.query<{ part: string }>(
      'select tableoid::regclass::text as part from gateway.audit_log order by admitted_at',
    );
    expect(rows.map(({ part }) => part)).to.deep.equal([
      'gateway.audit_log_20251123',
      'gateway.audit_log_20251124',
      'gateway.audit_log_20260103',
    ]);
  });

  it('makes one row of an entry that comes twice, in one batch or after a crash', async () => {
    await storeEvents(client, 0, [eventOf(1), eventOf(1), eventOf(2)]);
    await storeEvents(client, 0, [eventOf(1), eventOf(2), eventOf(3)]);
    expect(await countRows()).to.equal(3);
  });

  it('rejects when nobody knows whether the commit took place, and a repetition does no harm', async () => {
    const unlucky = {
      query: async (query: unknown, values?: unknown[]) => {
        const result: unknown = await client.query(query as string, values);
        if (query === 'commit') throw new Error('the connection ended');
        return result;
      },
    } as Pick<PostgresClient, 'query'>;
    const outcome = await storeEvents(unlucky, 0, [eventOf(1)]).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(Error);
    await storeEvents(client, 0, [eventOf(1)]);
    expect(await countRows()).to.equal(1);
  });

  it('puts poison aside and lets the rest pass', async () => {
    const events = [
      eventOf(1),
      eventOf(2, { status: 99_999 }),
      event(3, 'not json'),
      eventOf(4, { id: 'no uuid' }),
      eventOf(5),
      eventOf(6, { chargedTokens: -1 }),
      event(7, 'raw \0 zero'),
      eventOf(8, { clientRequestId: 'escaped \0 zero' }),
      event(9, 'x'.repeat(100_000)),
      eventOf(10),
    ];
    const rejections = await storeEvents(client, 3, events);
    expect(rejections.map((one) => one.event.streamId)).to.have.members([
      '2-0',
      '3-0',
      '4-0',
      '6-0',
      '7-0',
      '8-0',
      '9-0',
    ]);
    expect(await countRows()).to.equal(3);

    const rejected = await readRejected();
    expect(rejected.map(({ sqlstate }) => sqlstate).sort()).to.deep.equal(
      ['22003', '22P02', '22P05', '23514', NOT_AN_ENTRY, NOT_AN_ENTRY, NOT_AN_ENTRY].sort(),
    );
    expect(rejected.map((one) => one.event)).to.include('raw \u{fffd} zero');
    expect(Math.max(...rejected.map((one) => one.event.length))).to.equal(65_536);
  });

  it('puts entries aside that lie on days that no partition is made for, and lets the rest pass', async () => {
    const days = [
      0,
      Date.UTC(2019, 11, 31),
      systemClock.wallMs() + 400 * 86_400_000,
      Date.UTC(2099, 0),
    ];
    const bad = days.map((admittedAtMs, index) => eventOf(10 + index, { admittedAtMs }));
    const rejections = await storeEvents(client, 0, [eventOf(1), ...bad, eventOf(2)]);
    expect(rejections.map((one) => one.event)).to.deep.equal(bad);
    expect(await countRows()).to.equal(2);
    expect((await readRejected()).map(({ sqlstate }) => sqlstate)).to.deep.equal(
      bad.map(() => '22008'),
    );
    expect(await storeEvents(client, 0, bad.slice(0, 1))).to.have.length(1);
  });

  it('puts nothing aside when the partition of a good day cannot be made for now', async () => {
    await client.query('drop function gateway.ensure_audit_day(date)');
    const outcome = await storeEvents(client, 0, [eventOf(1)]).catch((error: unknown) => error);
    expect(outcome).to.have.property('code', '42883');
    expect(await readRejected()).to.have.length(0);
  });

  /** A client whose n-th insert fails for a reason that lies in Postgres. */
  const failAtInsert = (wanted: number): Pick<PostgresClient, 'query'> => {
    let inserts = 0;
    return {
      query: async (query: unknown, values?: unknown[]) => {
        if (typeof query === 'object') inserts += 1;
        if (inserts === wanted) await client.query('select 1 from nowhere');
        return client.query(query as string, values);
      },
    } as Pick<PostgresClient, 'query'>;
  };

  it('puts nothing aside when the fault is Postgres’s, for it would come in whole later', async () => {
    // The first insert is the whole batch, those after it are the hunt for the poison.
    for (const failing of [1, 2, 3]) {
      const events = [eventOf(1), eventOf(2, { status: 99_999 })];
      const outcome = await storeEvents(failAtInsert(failing), 0, events).catch(
        (error: unknown) => error,
      );
      expect(outcome).to.have.property('code', '42P01');
      await client.query('rollback');
    }
    expect(await countRows()).to.equal(0);
    expect(await readRejected()).to.have.length(0);
  });

  it('stores a batch without any entry', async () => {
    expect(await storeEvents(client, 0, [event(1, '')])).to.have.length(1);
    expect(await readRejected()).to.have.length(1);
  });
});
