import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';
import { openStreams, PROBE_MODEL } from './revoking.ts';
import type { TimedStream } from './revoking.ts';
import { post } from './stack.ts';
import type { AuditRow, MadeKey, Stack } from './stack.ts';
import { until } from './until.ts';
import { openWorkerClients } from './worker-client.ts';
import type { WorkerClient } from './worker-client.ts';

/** A row of SPEC §10's failure table. */
export interface TableFault {
  /** Resolves when it is there. */
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
  /** At least. */
  readonly lastsMs: number;
  /** How long the upstream speaks on a stream that was there before. */
  readonly streamMs: number;
}

/** One request and its answer; times of the wall clock. */
export interface Seen {
  readonly status: number;
  readonly text: string;
  readonly sentAtMs: number;
}

/** What became of each column while it lasted. All was asked and answered within that time. */
export interface Observed {
  readonly beganAtMs: number;
  /** When nothing was asked any more; it ended right after. */
  readonly endedAtMs: number;
  /** A key that every worker knows. */
  readonly cached: readonly Seen[];
  /** The last moment of that time at which a request of that key was admitted; 0: none was. */
  readonly admittedAtMs: number;
  /** Keys that were made meanwhile, each asked with once. */
  readonly fresh: readonly Seen[];
  readonly stream: {
    readonly whole: boolean;
    /** Since it began. */
    readonly newLines: number;
    readonly last: string;
    /** Without the last one. */
    readonly content: number;
  };
  /** The stream's row was in Postgres before the end. */
  readonly isStored: boolean;
  /** As it was after the end. */
  readonly row: AuditRow;
  /** /readyz of both workers. */
  readonly ready: readonly Seen[];
  /** What was missing at the end, as the primary said; undefined: it said nothing. */
  readonly missing: readonly string[] | undefined;
}

interface Lanes {
  readonly cached: readonly Seen[];
  readonly fresh: readonly Seen[];
  readonly ready: readonly Seen[];
  stop(): Promise<void>;
}

const PACE_MS = 50;
export const STREAM_PROMPT_TOKENS = 7;
/** Of a lane; three of them leave two cores something to do. */
const ASK_EVERY_MS = 20;
const LANES = 2;
/** A settlement is in Postgres much sooner where it is on its usual way. */
const STORED_WITHIN_MS = 4_000;
const SERVES_AGAIN_MS = 20_000;
const ANSWER_MS = 1_000;

/** Lets it begin while a key is used and a stream runs, looks at everything, and lets it end. */
export async function observeFault(
  stack: Stack,
  known: MadeKey,
  fault: TableFault,
): Promise<Observed> {
  const clients = await openWorkerClients(stack.gateway, known.key);
  const stream = await openStream(stack, fault.streamMs);
  let seen: Omit<Observed, 'row' | 'admittedAtMs'>;
  try {
    await fault.begin();
    seen = await look({ stack, known, clients, stream, lastsMs: fault.lastsMs });
  } finally {
    await fault.end();
    for (const client of clients) client.close();
  }
  await untilServed(stack, known);
  const row = await until(() => findRow(stack, stream), {
    withinMs: SERVES_AGAIN_MS,
    what: 'the row of the stream',
  });
  return { ...seen, row, admittedAtMs: await readAdmitted(stack, known, seen) };
}

interface Looking {
  readonly stack: Stack;
  readonly known: MadeKey;
  readonly clients: readonly WorkerClient[];
  readonly stream: TimedStream;
  readonly lastsMs: number;
}

async function look(looking: Looking): Promise<Omit<Observed, 'row' | 'admittedAtMs'>> {
  const { stack, stream, lastsMs } = looking;
  const beganAtMs = systemClock.wallMs();
  const linesBefore = stream.reply.lines().length;
  const lanes = startLanes(looking);
  try {
    const { whole } = await stream.ended;
    const isStored = await until(() => findRow(stack, stream), {
      withinMs: STORED_WITHIN_MS,
      what: 'the row of the stream',
    }).then(
      () => true,
      () => false,
    );
    await until(() => systemClock.wallMs() >= beganAtMs + lastsMs, {
      withinMs: lastsMs + 1_000,
      what: 'its time',
    });
    const missing = await readMissing(stack);
    await lanes.stop();
    const lines = stream.reply.lines();
    const newLines = lines.length - linesBefore;
    const last = lines.at(-1) ?? '';
    const seenStream = { whole, newLines, last, content: lines.length - 1 };
    const endedAtMs = systemClock.wallMs();
    return { ...lanes, beganAtMs, endedAtMs, stream: seenStream, isStored, missing };
  } finally {
    await lanes.stop();
  }
}

function startLanes({ stack, known, clients }: Looking): Lanes {
  const { url } = stack.gateway;
  const stopped = new AbortController();
  const [cached, fresh, ready]: [Seen[], Seen[], Seen[]] = [[], [], []];
  const keep = async (seen: Seen[], ask: () => Promise<Seen>): Promise<void> => {
    while (!stopped.signal.aborted) {
      seen.push(await ask());
      await wait(ASK_EVERY_MS);
    }
  };
  const running = Promise.all([
    ...Array.from({ length: LANES }, () => keep(cached, () => askOnce(url, known))),
    keep(fresh, async () => askOnce(url, await stack.makeCaller())),
    ...clients.map((client) => keep(ready, () => askReady(client))),
  ]);
  running.catch(() => undefined);
  return {
    cached,
    fresh,
    ready,
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

/** On a connection of its own: whichever worker takes it. */
export async function askOnce(url: string, { key }: MadeKey): Promise<Seen> {
  const sentAtMs = systemClock.wallMs();
  const body = {
    model: PROBE_MODEL,
    messages: [{ role: 'user', content: 'hello' }],
    stream: false,
    options: { num_predict: 1 },
  };
  const headers = { authorization: `Bearer ${key}`, connection: 'close' };
  const response = await post(`${url}/api/chat`, key, body, { headers });
  return { status: response.status, text: await response.text(), sentAtMs };
}

async function askReady(client: WorkerClient): Promise<Seen> {
  const sentAtMs = systemClock.wallMs();
  return { ...(await client.ask('GET', '/readyz')), sentAtMs };
}

async function openStream(stack: Stack, streamMs: number): Promise<TimedStream> {
  const caller = await stack.makeCaller();
  stack.ollama.next({
    tokens: Math.ceil(streamMs / PACE_MS),
    paceMs: PACE_MS,
    promptTokens: STREAM_PROMPT_TOKENS,
  });
  const [stream] = await openStreams([stack.gateway.url], caller, 1);
  if (stream?.reply.status !== 200) throw new Error(`the stream got ${stream?.reply.status}`);
  await until(() => stream.reply.lines().length > 1, { withinMs: 3_000, what: 'its first lines' });
  return stream;
}

/** Names of the checks that failed; a stopped primary tells nothing. */
export async function readMissing({ gateway }: Stack): Promise<readonly string[] | undefined> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch(`${gateway.adminUrl}/readyz`, { signal }).catch(() => undefined);
  if (response === undefined) return undefined;
  const { checks } = (await response.json()) as {
    readonly checks: Readonly<Record<string, { readonly status: string }>>;
  };
  return Object.keys(checks).filter((name) => checks[name]?.status !== 'pass');
}

/** Each worker makes its own way back. */
export async function untilServed({ gateway }: Stack, known: MadeKey): Promise<void> {
  await until(
    async () => {
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => askOnce(gateway.url, known)),
      );
      return answers.every(({ status }) => status === 200);
    },
    { withinMs: SERVES_AGAIN_MS, what: 'the key to be served again' },
  );
}

async function findRow({ database }: Stack, { reply }: TimedStream): Promise<AuditRow | undefined> {
  const { rows } = await database.query<AuditRow>('select * from gateway.audit_log where id = $1', [
    reply.requestId,
  ]);
  return rows[0];
}

async function readAdmitted(
  { database }: Stack,
  { keyId }: MadeKey,
  { beganAtMs, endedAtMs }: Pick<Observed, 'beganAtMs' | 'endedAtMs'>,
): Promise<number> {
  const { rows } = await database.query<{ ms: number | null }>(
    `select floor(extract(epoch from max(admitted_at)) * 1000)::float8 as ms
     from gateway.audit_log
     where key_id = $1 and outcome <> 'refused'
       and admitted_at between to_timestamp($2 / 1000.0) and to_timestamp($3 / 1000.0)`,
    [keyId, beganAtMs, endedAtMs],
  );
  return rows[0]?.ms ?? 0;
}
