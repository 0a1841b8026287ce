import { expect } from 'chai';
import { storeEvents } from '../../../lib/audit/store-events.ts';
import { encodeEntry } from '../../../lib/ledger/entry-codec.ts';
import type { Entry } from '../../../lib/ledger/entry.ts';
import type { StreamEvent } from '../../../lib/ledger/event-stream.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { sampleEntry } from '../../support/sample-request.ts';
import { seedAccount } from '../../support/seed-account.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

const makeId = (index: number): string =>
  `01980000-0000-7000-8000-${String(index).padStart(12, '0')}`;
const STRANGER = '99999999-2222-4333-8444-555555555555';

function toEvent(entry: Entry): StreamEvent {
  return { streamId: '1-0', entry, text: encodeEntry(entry) };
}
const ended = (index: number, changes: Partial<Entry> = {}): StreamEvent =>
  toEvent(sampleEntry({ id: makeId(index), ...changes }));
/** Charged 500, of which 30 were told. */
const lost = (index: number): StreamEvent =>
  ended(index, {
    ...{ status: 0, outcome: 'lost', countSource: 'estimated', firstTokenMs: null },
    ...{ durationMs: 0, promptTokens: 10, completionTokens: 20, chargedTokens: 500 },
  });
const refused = (index: number, changes: Partial<Entry> = {}): StreamEvent =>
  ended(index, {
    ...{ status: 503, outcome: 'refused', refusalCode: 'limiter_unavailable' },
    ...{ countSource: 'none', promptTokens: 0, completionTokens: 0, chargedTokens: 0 },
    ...changes,
  });

describe('audit/ledger-sums', () => {
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

  const store = (...events: StreamEvent[]): ReturnType<typeof storeEvents> =>
    storeEvents(client, 0, events);

  async function readLines(): Promise<unknown[]> {
    const { rows } = await client.query<Record<string, unknown>>(
      `select model, day::text, requests, prompt_tokens as prompt, completion_tokens as completion,
         charged_tokens as charged from gateway.token_ledger order by model, day`,
    );
    return rows;
  }
  const line = (
    requests: number,
    prompt: number,
    completion: number,
    charged: number,
  ): unknown => ({
    ...{ model: 'llama3:latest', day: '2025-11-24', requests, prompt, completion, charged },
  });

  /** Rows and sums always agree; and what the rows of one id say is given back. */
  async function readOutcomes(): Promise<readonly string[]> {
    const { rows } = await client.query<{ outcome: string; status: number; charged: number }>(
      `select outcome, status, charged_tokens as charged from gateway.audit_log
       order by admitted_at, id`,
    );
    const { rows: sums } = await client.query<{ rows: number; ledger: number }>(
      `select (select sum(charged_tokens) from gateway.audit_log)::bigint as rows,
         (select coalesce(sum(charged_tokens), 0) from gateway.token_ledger)::bigint as ledger`,
    );
    expect(sums[0]?.ledger).to.equal(sums[0]?.rows);
    return rows.map(({ outcome, status, charged }) => `${outcome} ${status} ${charged}`);
  }

  it('adds up what a batch holds by key, model and day', async () => {
    const nextDayMs = 1_764_000_000_123 + 86_400_000;
    await store(
      ended(1),
      ended(2),
      ended(3, { model: 'phi3:latest', chargedTokens: 7 }),
      ended(4, { admittedAtMs: nextDayMs }),
    );
    await store(ended(5));
    expect(await readLines()).to.deep.equal([
      line(3, 36, 102, 138),
      { ...(line(1, 12, 34, 46) as object), day: '2025-11-25' },
      { ...(line(1, 12, 34, 7) as object), model: 'phi3:latest' },
    ]);
  });

  it('adds nothing for an entry that is there already', async () => {
    await store(ended(1), ended(1));
    await store(ended(1), ended(2, { chargedTokens: 1 }));
    await store(ended(2, { chargedTokens: 1_000 }));
    expect(await readLines()).to.deep.equal([line(2, 24, 68, 47)]);
  });

  it('takes a lost request for what it became, in one batch, in either order', async () => {
    await store(lost(1), ended(1), ended(2), lost(2), lost(3));
    expect(await readOutcomes()).to.deep.equal(['ok 200 46', 'ok 200 46', 'lost 0 500']);
    expect(await readLines()).to.deep.equal([line(3, 34, 88, 592)]);
  });

  it('gives back what a lost request was charged too much when it is settled after all', async () => {
    await store(lost(1));
    expect(await readLines()).to.deep.equal([line(1, 10, 20, 500)]);
    await store(ended(1));
    expect(await readOutcomes()).to.deep.equal(['ok 200 46']);
    expect(await readLines()).to.deep.equal([line(1, 12, 34, 46)]);
  });

  it('does so once, however often it is settled', async () => {
    await store(lost(1));
    await store(ended(1), ended(1, { chargedTokens: 9 }));
    await store(ended(1));
    expect(await readOutcomes()).to.deep.equal(['ok 200 46']);
    expect(await readLines()).to.deep.equal([line(1, 12, 34, 46)]);
  });

  it('never takes a settled request for a lost one', async () => {
    await store(ended(1));
    await store(lost(1), lost(1));
    expect(await readOutcomes()).to.deep.equal(['ok 200 46']);
    expect(await readLines()).to.deep.equal([line(1, 12, 34, 46)]);
  });

  it('gives everything back when a lost request turns out to have been refused', async () => {
    await store(lost(1), ended(2));
    await store(refused(1));
    await store(refused(1));
    expect(await readOutcomes()).to.deep.equal(['refused 503 0', 'ok 200 46']);
    expect(await readLines()).to.deep.equal([line(1, 12, 34, 46)]);
  });

  it('moves what was charged when the settlement names another model', async () => {
    await store(lost(1));
    await store(ended(1, { model: 'phi3:latest' }));
    expect(await readLines()).to.deep.equal([
      line(0, 0, 0, 0),
      { ...(line(1, 12, 34, 46) as object), model: 'phi3:latest' },
    ]);
  });

  it('has no line for refusals, and needs no account for them', async () => {
    await store(refused(1), refused(2, { model: null }), refused(3, { keyId: STRANGER }));
    expect(await readLines()).to.deep.equal([]);
    expect(await readOutcomes()).to.have.length(3);
  });

  it('puts what belongs to no account aside, and what stands beside it in rows and sums', async () => {
    await store(lost(1));
    const rejections = await store(
      ended(2),
      ended(3, { keyId: STRANGER }),
      lost(4),
      ended(5, { status: 99_999 }),
      ended(1),
      ended(4),
      ended(6, { chargedTokens: Number.MAX_SAFE_INTEGER * 1_000 }),
    );
    expect(rejections.map(({ sqlState }) => sqlState)).to.deep.equal(['23503', '22003']);
    expect(await readOutcomes()).to.deep.equal(
      ['ok 200 46', 'ok 200 46', 'ok 200 46'].concat('ok 200 9007199254740991000'),
    );
  });

  it('keeps a lost row if the settlement that would replace it is poison', async () => {
    const rejections = await store(lost(1), ended(1, { status: 99_999 }));
    expect(rejections).to.have.length(1);
    expect(await readOutcomes()).to.deep.equal(['lost 0 500']);
    expect(await readLines()).to.deep.equal([line(1, 10, 20, 500)]);
  });

  it('needs no more than the role of the gateway may do', async () => {
    await client.query('set role gateway_runtime');
    await store(lost(1), ended(2), ended(3, { status: 99_999 }));
    await store(ended(1));
    expect(await readOutcomes()).to.deep.equal(['ok 200 46', 'ok 200 46']);
  });

  it('finds the rows of a lost request among those of many days', async () => {
    const days = Array.from({ length: 40 }, (_, n) => 1_764_000_000_123 - n * 86_400_000);
    await store(
      ...days.map((admittedAtMs, n) => ({
        ...lost(n),
        entry: sampleEntry({ id: makeId(n), admittedAtMs, outcome: 'lost', status: 0 }),
      })),
    );
    await store(...days.map((admittedAtMs, n) => ended(n, { admittedAtMs, chargedTokens: 1 })));
    expect(new Set(await readOutcomes())).to.deep.equal(new Set(['ok 200 1']));
  });
});
