import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../lib/time/clock.ts';
import { isRunning } from '../support/is-running.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { listWorkers } from '../support/worker-client.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }], stream: false };

/** Fewer than would be read as a whole, and megabytes of rows. */
const KEYS = 4_000;

describe('e2e: shared memory is full', function () {
  this.timeout(40_000);
  let stack: Stack;
  let caller: MadeKey;
  let runtime: TemporaryDirectory;

  beforeEach(async () => {
    runtime = await makeTemporaryDirectory('run');
    stack = await startStack({ env: { RUNTIME_DIRECTORY: runtime.path } });
    caller = await stack.makeCaller();
  });
  afterEach(async () => {
    await stack.stop();
    await runtime.remove();
  });

  /** The file cannot grow any more, as in a full tmpfs; what it has, it may use again. */
  function stopGrowth(): void {
    const sizes = readdirSync(runtime.path).map((name) => statSync(join(runtime.path, name)).size);
    const limit = `--fsize=${Math.max(...sizes)}`;
    execFileSync('prlimit', ['--pid', String(stack.gateway.pid), limit]);
  }

  it('the primary ends with 70, and nobody is served by what could not be written', async () => {
    const { gateway } = stack;
    expect((await post(`${gateway.url}/api/chat`, caller.key, CHAT)).status).to.equal(200);
    const workers = listWorkers(gateway);
    stopGrowth();
    await stack.database.query(
      `insert into gateway.api_keys (tenant_id, public_id, hash, secret_tag)
       select tenant_id, 'F' || lpad(n::text, 11, '0'), hash, secret_tag
       from gateway.api_keys, generate_series(1, $2) n where id = $1`,
      [caller.keyId, KEYS],
    );
    const filledAtMs = systemClock.monotonicMs();

    expect(await gateway.exited).to.equal(70);
    expect(systemClock.monotonicMs() - filledAtMs).to.be.below(10_000);
    await until(() => !workers.some(isRunning), { withinMs: 1_000, what: 'the workers to end' });
    // Not by its line: lmdb itself says a word on stderr just before.
    expect(gateway.output()).to.match(
      /"event":"shared_failed","error.type":"SharedIoError","error.code":"E(FBIG|IO)"/,
    );
    expect(gateway.events('worker_exit')).to.deep.equal([]);
    expect(readdirSync(runtime.path)).to.deep.equal([]);
  });
});
