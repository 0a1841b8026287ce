import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import { checkLedger } from '../support/ledger-check.ts';
import {
  IN_FORCE_MS,
  openStreams,
  PROBE_MODEL,
  readRevokedAt,
  REVOKED_LINE,
  timeStream,
  waitForPhase,
  watchKey,
} from '../support/revoking.ts';
import type { KeyWatch, TimedStream } from '../support/revoking.ts';
import { rounds } from '../support/rounds.ts';
import { runNzgw } from '../support/run-nzgw.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { listWorkers, openWorkerClients } from '../support/worker-client.ts';
import type { WorkerClient } from '../support/worker-client.ts';

const WORKERS = 4;
const STREAMS = 100;
const OTHERS = 6;
/** A hundred of them are five hundred lines a second. */
const PACE_MS = 200;

/** Who revokes, and what it takes from the caller. */
const WAYS = [
  {
    name: 'its key by plain SQL',
    revoke: (stack: Stack, { keyId }: MadeKey) =>
      stack.database.query('insert into gateway.revocations (key_id) values ($1)', [keyId]),
  },
  {
    name: 'its tenant by plain SQL',
    revoke: (stack: Stack, { tenantId }: MadeKey) =>
      stack.database.query('insert into gateway.revocations (tenant_id) values ($1)', [tenantId]),
  },
  {
    name: 'its key by nzgw revoke-key',
    revoke: async (stack: Stack, { publicId }: MadeKey) => {
      const env = { DATABASE_URL: stack.databaseUrl };
      const run = await runNzgw(['revoke-key', publicId], { env });
      expect(run.stdout).to.include('confirmed by 1 of 1 gateways');
      expect(run.code).to.equal(0);
    },
  },
];

describe('e2e: a key is revoked while a hundred of its streams run', function () {
  this.timeout(60_000);
  const admitted: string[] = [];
  let stack: Stack;

  before(async () => {
    stack = await startStack({
      workers: WORKERS,
      ollama: {
        always: { tokens: 10_000, paceMs: PACE_MS, promptTokens: 7 },
        byModel: { [PROBE_MODEL]: { tokens: 1 } },
      },
    });
  });
  after(() => stack.stop());

  for (const { index, random } of rounds({ ci: 3, full: 50 })) {
    const way = WAYS[index % WAYS.length];
    if (way === undefined) throw new Error('there is no such way');

    it(`every one ends, and every worker refuses it, within a second of ${way.name} (round ${index})`, async () => {
      const [caller, other] = [await stack.makeCaller(), await stack.makeCaller()];
      const { asked, streams } = await openEverywhere(caller);
      const spared = await openStreams([stack.gateway.url], other, OTHERS);
      const watch = watchKey([stack.gateway.url], caller, asked);
      await untilAsked(watch);
      await waitForPhase(random);
      await way.revoke(stack, caller);
      const revokedAtMs = await readRevokedAt(stack.database, caller);
      await until(() => systemClock.wallMs() > revokedAtMs + IN_FORCE_MS, {
        withinMs: 2 * IN_FORCE_MS,
        what: 'the second to be over',
      });
      await watch.stop();

      expectRefused(watch, revokedAtMs);
      await expectEnded(streams, revokedAtMs);
      expect(stack.ollama.inFlight, 'streams of Ollama').to.equal(OTHERS);
      await expectRows(streams);
      await expectUntouched(spared);
      for (const client of asked) client.close();
    });
  }

  it('leaves ledger, audit and Redis in agreement', () => checkLedger(stack, { admitted }));

  /** One stream at least on each worker, and a client of each to ask with. */
  async function openEverywhere(
    caller: MadeKey,
  ): Promise<{ readonly asked: readonly WorkerClient[]; readonly streams: TimedStream[] }> {
    const clients = await openWorkerClients(stack.gateway, caller.key, {
      workers: WORKERS,
      each: 2,
    });
    const asked = listWorkers(stack.gateway).map((pid) => pick(clients, pid, 0));
    const first = listWorkers(stack.gateway).map((pid) => pick(clients, pid, 1));
    const chats = await Promise.all(
      first.map(async (client) => timeStream(await client.chat(), client.close)),
    );
    const more = await openStreams([stack.gateway.url], caller, STREAMS - chats.length);
    const streams = [...chats, ...more];
    for (const { reply } of streams) expect(reply.status).to.equal(200);
    admitted.push(...streams.map(({ reply }) => reply.requestId));
    return { asked, streams };
  }

  async function expectRows(streams: readonly TimedStream[]): Promise<void> {
    const ids = streams.map(({ reply }) => reply.requestId);
    const rows = await until(
      async () => {
        const found = await stack.database.query<{ id: string }>(
          `select id, outcome, prompt_tokens, completion_tokens
           from gateway.audit_log where id = any($1)`,
          [ids],
        );
        return found.rows.length >= ids.length && found.rows;
      },
      { withinMs: 10_000, what: 'the rows' },
    );
    // The last line is the gateway's own.
    const expected = streams.map(({ reply }) => ({
      id: reply.requestId,
      outcome: 'revoked',
      completion_tokens: reply.lines().length - 1,
    }));
    expect(rows.map(({ id, ...row }) => ({ id, ...pickCharged(row) }))).to.have.deep.members(
      expected,
    );
  }
});

function pick(clients: readonly WorkerClient[], pid: number, nth: number): WorkerClient {
  const client = clients.filter((one) => one.pid === pid)[nth];
  if (client === undefined) throw new Error(`there is no client of worker ${pid}`);
  return client;
}

function pickCharged(row: object): object {
  const { outcome, completion_tokens } = row as Record<string, unknown>;
  return { outcome, completion_tokens };
}

/** The revocation hits keys in use: each worker knows it, and admission does. */
async function untilAsked({ probes }: KeyWatch): Promise<void> {
  const asked = new Set<number | undefined>();
  await until(
    () => {
      for (const { pid, status } of probes) if (status === 200) asked.add(pid);
      return asked.size === WORKERS + 1;
    },
    { withinMs: 5_000, what: 'an answer of every worker' },
  );
}

function expectRefused({ probes }: KeyWatch, revokedAtMs: number): void {
  expect(new Set(probes.map(({ status }) => status))).to.deep.equal(new Set([200, 401]));
  const late = probes.filter(({ sentAtMs }) => sentAtMs >= revokedAtMs + IN_FORCE_MS);
  expect(late.filter(({ status }) => status !== 401)).to.deep.equal([]);
  for (const pid of new Set(probes.map((probe) => probe.pid))) {
    const own = probes.filter((probe) => probe.pid === pid);
    const first = own.findIndex(({ status }) => status === 401);
    expect((own[first]?.answeredAtMs ?? Infinity) - revokedAtMs).to.be.at.most(IN_FORCE_MS);
    if (pid === undefined) continue;
    expect(new Set(own.slice(first).map(({ status }) => status))).to.deep.equal(new Set([401]));
  }
}

async function expectEnded(streams: readonly TimedStream[], revokedAtMs: number): Promise<void> {
  const ends = await Promise.all(streams.map((stream) => stream.ended));
  const lastMs = Math.max(...ends.map(({ atMs }) => atMs - revokedAtMs));
  expect(lastMs, 'the last byte of the last stream').to.be.at.most(IN_FORCE_MS);
  expect(ends.every(({ whole }) => whole)).to.equal(true);
  for (const { reply } of streams) expect(reply.lines().at(-1)).to.equal(REVOKED_LINE);
}

async function expectUntouched(streams: readonly TimedStream[]): Promise<void> {
  const lines = streams.map(({ reply }) => reply.lines().length);
  await until(
    () => streams.every(({ reply }, n) => reply.lines().length > (lines[n] ?? Infinity) + 1),
    { withinMs: 3_000, what: "another key's streams to go on" },
  );
  for (const { leave } of streams) leave();
}
