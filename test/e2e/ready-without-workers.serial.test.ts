import { expect } from 'chai';
import { readMissing } from '../support/observe-fault.ts';
import { startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { listWorkers } from '../support/worker-client.ts';

/** SPEC §12: readiness flips within 2 s, both ways. */
const FLIP_MS = 2_000;
/** Deaths that make the next worker wait for 0.8 s, and are too few for the gateway to give up. */
const DEATHS = 4;

describe('e2e: readiness without a worker', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({ workers: 1 });
  });
  after(() => stack.stop());

  it('is over within 2 s when the last worker died, and is back 2 s after one listens', async () => {
    for (let death = 1; death <= DEATHS; death += 1) {
      await until(() => stack.gateway.events('listening').length === death, {
        withinMs: 15_000,
        what: `worker ${death} to listen`,
      });
      await untilAnswered(200);
      process.kill(listWorkers(stack.gateway).at(-1) ?? 0, 'SIGKILL');
    }
    await untilAnswered(503);
    expect(await readMissing(stack)).to.deep.equal(['workers']);

    await until(() => stack.gateway.events('listening').length === DEATHS + 1, {
      withinMs: 15_000,
      what: 'another worker to listen',
    });
    await untilAnswered(200);
  });

  async function untilAnswered(status: number): Promise<void> {
    const { adminUrl } = stack.gateway;
    await until(
      async () => {
        const answer = await fetch(`${adminUrl}/readyz`);
        await answer.text();
        return answer.status === status;
      },
      { withinMs: FLIP_MS, what: `${status} of /readyz` },
    );
  }
});
