import { expect } from 'chai';
import type { Limits } from '../../lib/shared/records.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { launchGateway } from '../support/launch-gateway.ts';
import type { Gateway } from '../support/launch-gateway.ts';
import { checkLedger } from '../support/ledger-check.ts';
import {
  askAdmission,
  IN_FORCE_MS,
  openStreams,
  PROBE_MODEL,
  readRevokedAt,
  REVOKED_LINE,
  watchKey,
} from '../support/revoking.ts';
import type { KeyWatch, TimedStream } from '../support/revoking.ts';
import { rounds } from '../support/rounds.ts';
import { readDocument, runNzgw } from '../support/run-nzgw.ts';
import type { Run } from '../support/run-nzgw.ts';
import { startStack, TEST_COST } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { openWorkerClients } from '../support/worker-client.ts';

const STREAMS = 12;
const REQUESTS_PER_MINUTE = 20;
const CONCURRENCY = 5;
const BUDGET_WORTH = 9;
/** What `nzgw revoke-key` waits for a gateway. */
const GIVEN_UP_MS = 2_000;
const SERVES_AGAIN_MS = 15_000;

describe('e2e: two gateways on one Postgres and one Redis', function () {
  this.timeout(60_000);
  const admitted: string[] = [];
  let stack: Stack;
  let other: Gateway;
  let urls: readonly string[];

  before(async () => {
    stack = await startStack({
      ollama: {
        always: { tokens: 10_000, paceMs: 100 },
        byModel: { [PROBE_MODEL]: { tokens: 1 } },
      },
    });
    other = await launchGateway({
      databaseUrl: stack.databaseUrl,
      redisUrl: stack.redis.url,
      ollamaUrl: stack.ollama.url,
      env: {
        NZGW_ARGON2_MEMORY_KIB: String(TEST_COST.memoryKib),
        NZGW_ARGON2_PASSES: String(TEST_COST.passes),
      },
    });
    urls = [stack.gateway.url, other.url];
  });
  after(async () => {
    if (other.isRunning()) await other.stop();
    await stack.stop();
  });

  for (const { index } of rounds({ ci: 1, full: 20 })) {
    it(`a revocation is in force on both within a second, and both say so (round ${index})`, async () => {
      const { caller, streams, watch } = await useEverywhere();
      const run = await revoke(caller);
      const revokedAtMs = await readRevokedAt(stack.database, caller);
      await untilOver(revokedAtMs);
      await watch.stop();

      expect(run.code, run.stderr).to.equal(0);
      expect(readDocument(run)).to.include({ confirmed: 2, gateways: 2, already: false });
      expect(readDocument(run)['ms']).to.be.within(0, IN_FORCE_MS);
      expectRefused(watch, revokedAtMs, [401]);
      await expectEnded(streams, revokedAtMs);
    });

    it(`one whose primary is stopped is missed, and lets nobody pass (round ${index})`, async () => {
      const { caller, streams, watch } = await useEverywhere();
      process.kill(other.pid, 'SIGSTOP');
      let run: Run;
      let revokedAtMs: number;
      try {
        run = await revoke(caller);
        revokedAtMs = await readRevokedAt(stack.database, caller);
        await untilOver(revokedAtMs);
        await expectEnded(streams.slice(0, 1), revokedAtMs);
      } finally {
        process.kill(other.pid, 'SIGCONT');
      }
      await untilAll(watch, 401);
      await watch.stop();
      await untilServed();

      expect(run.code, run.stderr).to.equal(7);
      expect(readDocument(run)).to.include({ confirmed: 1, gateways: 2, status: 'revoked' });
      expect(readDocument(run)['ms']).to.be.within(GIVEN_UP_MS, GIVEN_UP_MS + IN_FORCE_MS);
      expectRefused(watch, revokedAtMs, [401, 503]);
      await Promise.all(streams.map(({ ended }) => ended));
    });

    it(`${REQUESTS_PER_MINUTE} requests a minute are that many on both together (round ${index})`, async () => {
      const caller = await makeLimited({ requestsPerMinute: REQUESTS_PER_MINUTE });
      const burst = Array.from({ length: 3 * REQUESTS_PER_MINUTE }, (_, n) =>
        askAdmission(urls[n % urls.length] ?? '', caller.key),
      );
      const statuses = (await Promise.all(burst)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).to.have.length(REQUESTS_PER_MINUTE);
      expect(new Set(statuses)).to.deep.equal(new Set([200, 429]));
    });

    it(`${CONCURRENCY} at once are that many on both together (round ${index})`, async () => {
      await expectAdmitted(await makeLimited({ concurrency: CONCURRENCY }), CONCURRENCY);
    });

    it(`a budget worth ${BUDGET_WORTH} streams lets that many run on both together (round ${index})`, async () => {
      const holdTokens = await measureHold();
      const budgetTokens = BUDGET_WORTH * holdTokens + 1;
      await expectAdmitted(await makeLimited({ budgetTokens, budgetPeriod: 'day' }), BUDGET_WORTH);
    });
  }

  it('leaves ledger, audit and Redis in agreement', () => checkLedger(stack, { admitted }));

  async function makeLimited(limits: Partial<Limits>): Promise<MadeKey> {
    return stack.makeKey(await stack.makeTenant(), { limits: { ...NO_LIMITS, ...limits } });
  }

  /** A key with streams on both, asked on every worker of both. The first stream is the stack's own. */
  async function useEverywhere(): Promise<{
    readonly caller: MadeKey;
    readonly streams: readonly TimedStream[];
    readonly watch: KeyWatch;
  }> {
    const caller = await stack.makeCaller();
    const clients = [
      ...(await openWorkerClients(stack.gateway, caller.key)),
      ...(await openWorkerClients(other, caller.key)),
    ];
    const streams = await openStreams(urls, caller, STREAMS);
    for (const { reply } of streams) expect(reply.status).to.equal(200);
    admitted.push(...streams.map(({ reply }) => reply.requestId));
    const watch = watchKey(urls, caller, clients);
    await untilAll(watch, 200);
    return { caller, streams, watch };
  }

  function revoke({ publicId }: MadeKey): Promise<Run> {
    return runNzgw(['revoke-key', publicId, '--json'], {
      env: { DATABASE_URL: stack.databaseUrl },
    });
  }

  /** A burst of streams at both at once: so many run, the others are told to wait. */
  async function expectAdmitted(caller: MadeKey, count: number): Promise<void> {
    const opened = await Promise.all(urls.map((url) => openStreams([url], caller, 2 * count)));
    const streams = opened.flat();
    const running = streams.filter(({ reply }) => reply.status === 200);
    admitted.push(...running.map(({ reply }) => reply.requestId));
    for (const { leave } of streams) leave();
    expect(running).to.have.length(count);
    expect(new Set(streams.map(({ reply }) => reply.status))).to.deep.equal(new Set([200, 429]));
  }

  /** What one of these streams holds. */
  async function measureHold(): Promise<number> {
    const caller = await makeLimited({ budgetTokens: 100_000_000, budgetPeriod: 'day' });
    const [stream] = await openStreams(urls, caller, 1);
    stream?.leave();
    return 100_000_000 - Number(stream?.reply.header('x-budget-remaining-tokens'));
  }

  async function untilServed(): Promise<void> {
    const { key } = await stack.makeCaller();
    await until(
      async () => {
        const asked = await Promise.all(urls.map((url) => askAdmission(url, key)));
        return asked.every(({ status }) => status === 200);
      },
      { withinMs: SERVES_AGAIN_MS, what: 'both to serve again' },
    );
  }
});

/** Every worker of both, and admission, say this now. */
async function untilAll({ probes }: KeyWatch, status: number): Promise<void> {
  const from = probes.length;
  await until(
    () => {
      const newest = new Map(probes.slice(from).map((probe) => [probe.pid, probe.status]));
      return newest.size === 5 && [...newest.values()].every((one) => one === status);
    },
    { withinMs: SERVES_AGAIN_MS, what: `every worker to say ${status}` },
  );
}

async function untilOver(revokedAtMs: number): Promise<void> {
  await until(() => systemClock.wallMs() > revokedAtMs + 1.2 * IN_FORCE_MS, {
    withinMs: 2 * IN_FORCE_MS,
    what: 'the second to be over',
  });
}

function expectRefused(
  { probes }: KeyWatch,
  revokedAtMs: number,
  refused: readonly number[],
): void {
  const late = probes.filter(({ sentAtMs }) => sentAtMs >= revokedAtMs + IN_FORCE_MS);
  expect(late).to.not.deep.equal([]);
  expect(late.filter(({ status }) => !refused.includes(status))).to.deep.equal([]);
}

async function expectEnded(streams: readonly TimedStream[], revokedAtMs: number): Promise<void> {
  const ends = await Promise.all(streams.map((stream) => stream.ended));
  expect(Math.max(...ends.map(({ atMs }) => atMs - revokedAtMs))).to.be.at.most(IN_FORCE_MS);
  for (const { reply } of streams) expect(reply.lines().at(-1)).to.equal(REVOKED_LINE);
}
