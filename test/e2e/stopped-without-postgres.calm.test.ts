import { expect } from 'chai';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { startStackBehindProxy } from '../support/stack-behind-proxy.ts';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** What is in Redis is tried to be brought to Postgres first. */
const ENDS_WITHIN_MS = 10_000;

describe('e2e: a gateway is told to stop and Postgres says nothing', function () {
  this.timeout(40_000);
  let stack: Stack;
  let postgres: FaultProxy;

  before(async () => {
    ({ stack, postgres } = await startStackBehindProxy());
  });
  after(async () => {
    stack.gateway.kill('SIGKILL');
    await stack.stop();
    await postgres.close();
  });

  it('it ends, and waits for no connection that nobody closes at the other end', async () => {
    postgres.blackhole();
    stack.gateway.kill('SIGTERM');
    await until(() => !stack.gateway.isRunning(), {
      withinMs: ENDS_WITHIN_MS,
      what: 'the gateway to end',
    });
    expect(await stack.gateway.exited).to.equal(0);
    expect(stack.gateway.events('stopped')).to.have.length(1);
  });
});
