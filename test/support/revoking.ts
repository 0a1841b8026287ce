import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from '../../lib/store/postgres.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { post } from './stack.ts';
import type { MadeKey } from './stack.ts';
import { until } from './until.ts';
import { follow } from './worker-client.ts';
import type { RunningReply, WorkerClient } from './worker-client.ts';

/** SPEC §10: from the commit of a revocation. */
export const IN_FORCE_MS = 1_000;

/** What a stream is told that its key's revocation ended. */
export const REVOKED_LINE = '{"error":"The API key was revoked."}';

/** Times of the wall clock: Postgres's is the same one, and tells when something was committed. */
export interface TimedStream {
  readonly reply: RunningReply;
  /** True once it ended as HTTP wants it. Settles with its last byte. */
  readonly ended: Promise<{ readonly whole: boolean; readonly atMs: number }>;
  readonly leave: () => void;
}

/** One request of a key while that is being revoked. */
export interface Probe {
  /** Who was asked; undefined: whoever took the new connection. */
  readonly pid: number | undefined;
  /** 0: the connection was cut. */
  readonly status: number;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/** A key that is used all the time. */
export interface KeyWatch {
  readonly probes: readonly Probe[];
  /** Resolves when nothing is asked any more. */
  stop(): Promise<void>;
}

/** Not so many that two cores have nothing else to do. */
const ASK_EVERY_MS = 20;
const OPEN_AT_ONCE = 8;
/** Not the streams' model: it may be answered at once, and told apart. */
export const PROBE_MODEL = 'qwen3:8b';
const STREAM = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };
const PROBE = { ...STREAM, model: PROBE_MODEL, stream: false, options: { num_predict: 1 } };

/** Streams on connections of their own, opened some at a time: whichever worker takes them. */
export async function openStreams(
  urls: readonly string[],
  { key }: MadeKey,
  count: number,
): Promise<readonly TimedStream[]> {
  const streams: TimedStream[] = [];
  while (streams.length < count) {
    const some = Math.min(OPEN_AT_ONCE, count - streams.length);
    const opened = Array.from({ length: some }, (_, n) =>
      openStream(urls[(streams.length + n) % urls.length] ?? '', key),
    );
    streams.push(...(await Promise.all(opened)));
  }
  return streams;
}

/** A stream that runs, with the time of its end. */
export function timeStream(reply: RunningReply, leave: () => void): TimedStream {
  const ended = reply.ended.then((whole) => ({ whole, atMs: systemClock.wallMs() }));
  return { reply, ended, leave };
}

function openStream(url: string, key: string): Promise<TimedStream> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/api/chat`, {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${key}` },
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      resolve(timeStream(follow(response), () => sent.destroy()));
    });
    sent.end(JSON.stringify(STREAM));
  });
}

/** Asks each of the workers, over and over, and admission over connections that are new each time. */
export function watchKey(
  urls: readonly string[],
  { key }: MadeKey,
  clients: readonly WorkerClient[],
): KeyWatch {
  const stopped = new AbortController();
  const probes: Probe[] = [];
  const keepAsking = async (
    pid: number | undefined,
    ask: () => Promise<{ readonly status: number }>,
  ): Promise<void> => {
    while (!stopped.signal.aborted) {
      const sentAtMs = systemClock.wallMs();
      const { status } = await ask().catch(() => ({ status: 0 }));
      probes.push({ pid, status, sentAtMs, answeredAtMs: systemClock.wallMs() });
      await wait(ASK_EVERY_MS);
    }
  };
  const running = [
    ...clients.map((client) => keepAsking(client.pid, () => client.ask('GET', '/api/tags'))),
    ...urls.map((url) => keepAsking(undefined, () => askAdmission(url, key))),
  ];
  return {
    probes,
    async stop() {
      stopped.abort();
      await Promise.all(running);
    },
  };
}

/** A whole request on a connection of its own. */
export async function askAdmission(url: string, key: string): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, connection: 'close' };
  const response = await post(`${url}/api/chat`, key, PROBE, { headers });
  await response.text();
  return response;
}

/**
 * When a key's or its tenant's revocation was written, in ms of the wall clock: the start of the
 * writer's statement, which is no later than its commit.
 */
export async function readRevokedAt(database: Pool, { keyId, tenantId }: MadeKey): Promise<number> {
  const { rows } = await database.query<{ ms: number }>(
    `select floor(extract(epoch from created_at) * 1000)::float8 as ms from gateway.revocations
     where kind = 'revocation' and (key_id = $1 or tenant_id = $2)`,
    [keyId, tenantId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('nothing was revoked');
  return row.ms;
}

/** Waits for a moment of a poll that follows from the seed. */
export async function waitForPhase(random: () => number): Promise<void> {
  const fromMs = systemClock.monotonicMs();
  const forMs = random() * 250;
  await until(() => systemClock.monotonicMs() - fromMs >= forMs, {
    withinMs: IN_FORCE_MS,
    what: 'a moment of the poll',
  });
}
