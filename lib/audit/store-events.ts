import type { Entry } from '../ledger/entry.ts';
import type { StreamEvent } from '../ledger/event-stream.ts';
import { readSqlState } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { chooseEntries } from './choose-entries.ts';
import { dayOf, ensureDays } from './ensure-days.ts';
import { insertEntries } from './insert-entries.ts';
import { DAY_SWEPT, isPoison, NOT_AN_ENTRY, rejectEvent } from './reject-event.ts';
import { weighPast } from './weigh-past.ts';

type Client = Pick<PostgresClient, 'query'>;

/** A poison event and why: its text is for the table of rejected events, never for a log. */
export interface Rejection {
  readonly event: StreamEvent;
  readonly sqlState: string;
}

interface Read {
  readonly event: StreamEvent;
  readonly entry: Entry;
}

/**
 * Brings a batch of a shard's events into Postgres, rows and sums in one transaction. What Postgres
 * will never take goes to the rejected events, so that it stops nothing. When this resolves the
 * batch is safe and may leave the stream; when it rejects nobody knows, and the session must not be
 * used again.
 */
export async function storeEvents(
  client: Client,
  shard: number,
  events: readonly StreamEvent[],
): Promise<readonly Rejection[]> {
  const { entries: read, rejections } = readEvents(events);
  const { refused, past } = await ensureDays(client, toEntries(read));
  const entries: Read[] = [];
  for (const one of read) {
    const sqlState = refused.get(dayOf(one.entry));
    if (sqlState === undefined) entries.push(one);
    else rejections.push({ event: one.event, sqlState });
  }

  await client.query('begin');
  try {
    rejections.push(...(await insertSome(client, entries, past)));
  } catch (error) {
    if (!isPoison(readSqlState(error))) throw error;
    await client.query('rollback');
    await client.query('begin');
    rejections.push(...(await insertOneByOne(client, entries, past)));
  }
  for (const { event, sqlState } of rejections) {
    await rejectEvent(client, { shard, text: event.text, sqlState });
  }
  await client.query('commit');
  return rejections;
}

function readEvents(events: readonly StreamEvent[]): { entries: Read[]; rejections: Rejection[] } {
  const entries: Read[] = [];
  const rejections: Rejection[] = [];
  for (const event of events) {
    if (event.entry === null) rejections.push({ event, sqlState: NOT_AN_ENTRY });
    else entries.push({ event, entry: event.entry });
  }
  return { entries, rejections };
}

/** In the open transaction; of days that may have been swept what can still be told apart. */
async function insertSome(
  client: Client,
  read: readonly Read[],
  past: ReadonlySet<string>,
): Promise<readonly Rejection[]> {
  // Weighed is what would be stored: where a refusal takes the place of a lost entry, no other stays.
  const chosen = new Set(chooseEntries(toEntries(read)));
  const old = read.filter(({ entry }) => chosen.has(entry) && past.has(dayOf(entry)));
  if (old.length === 0) {
    await insertEntries(client, [...chosen]);
    return [];
  }
  const { over, doubtful } = await weighPast(client, toEntries(old));
  const wanted = [...chosen].filter((entry) => !over.has(entry) && !doubtful.has(entry));
  await insertEntries(client, wanted);
  return old
    .filter(({ entry }) => doubtful.has(entry))
    .map(({ event }) => ({ event, sqlState: DAY_SWEPT }));
}

/** Finds the poison: each entry behind a savepoint of the open transaction. */
async function insertOneByOne(
  client: Client,
  entries: readonly Read[],
  past: ReadonlySet<string>,
): Promise<Rejection[]> {
  const rejections: Rejection[] = [];
  for (const one of entries) {
    const { event } = one;
    await client.query('savepoint entry');
    try {
      rejections.push(...(await insertSome(client, [one], past)));
    } catch (error) {
      const sqlState = readSqlState(error);
      if (!isPoison(sqlState)) throw error;
      await client.query('rollback to savepoint entry');
      rejections.push({ event, sqlState });
    }
    await client.query('release savepoint entry');
  }
  return rejections;
}

function toEntries(read: readonly Read[]): readonly Entry[] {
  return read.map(({ entry }) => entry);
}
