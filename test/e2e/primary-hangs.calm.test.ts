import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import { isRunning } from '../support/is-running.ts';
import { launchGateway } from '../support/launch-gateway.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { accepts, listWorkers, openWorkerClients } from '../support/worker-client.ts';

const SILENCE_MS = 4_000;
/** The look each second, and what an orphan may take. */
const MORE_MS = 1_000 + 5_000;

describe('e2e: the primary is stopped and stays so', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;

  beforeEach(async () => {
    stack = await startStack({
      env: { NZGW_PRIMARY_SILENCE_SECONDS: String(SILENCE_MS / 1_000) },
    });
    caller = await stack.makeCaller();
  });
  afterEach(() => stack.stop());

  it('its workers let streams go on for a while, then end it and themselves', async () => {
    const { gateway, ollama } = stack;
    const clients = await openWorkerClients(gateway, caller.key);
    ollama.always({ tokens: 50_000, paceMs: 20 });
    const replies = await Promise.all(clients.map((client) => client.chat()));
    await until(() => replies.every((reply) => reply.lines().length > 3), {
      withinMs: 3_000,
      what: 'the first tokens',
    });

    const stoppedAtMs = systemClock.monotonicMs();
    process.kill(gateway.pid, 'SIGSTOP');
    expect(await gateway.exited).to.equal(null);
    const tookMs = systemClock.monotonicMs() - stoppedAtMs;
    expect(tookMs).to.be.within(SILENCE_MS - 1_000, SILENCE_MS + MORE_MS);

    expect(gateway.events('primary_silent').length).to.be.at.least(1);
    expect(gateway.events('primary_silent')[0]).to.include({
      level: 'fatal',
      process: 'worker',
      primary_pid: gateway.pid,
    });
    // A process closes its output, which is what was waited for, a moment before it is gone.
    const pids = [gateway.pid, ...listWorkers(gateway)];
    await until(() => !pids.some(isRunning), { withinMs: 1_000, what: 'all to be gone' });
    expect(await accepts(gateway.url)).to.equal(false);
    for (const reply of replies) {
      expect(await reply.ended).to.equal(true);
      expect(reply.lines().at(-1)).to.equal('{"error":"The gateway is shutting down."}');
      expect(reply.lines().length).to.be.above(50);
    }

    // What they used is still to be brought to Postgres.
    const next = await launchGateway({
      databaseUrl: stack.databaseUrl,
      redisUrl: stack.redis.url,
      ollamaUrl: stack.ollama.url,
    });
    await checkLedger(stack, { admitted: replies.map(({ requestId }) => requestId) });
    await next.stop();
  });
});
