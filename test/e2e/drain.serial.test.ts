import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { systemClock } from '../../lib/time/clock.ts';
import { isRunning } from '../support/is-running.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { accepts, listWorkers, openWorkerClients } from '../support/worker-client.ts';
import type { RunningReply } from '../support/worker-client.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };
const DRAIN_MS = 2_000;

describe('e2e: SIGTERM lets streams end', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;
  let runtime: TemporaryDirectory;

  beforeEach(async () => {
    runtime = await makeTemporaryDirectory('run');
    stack = await startStack({
      env: { NZGW_DRAIN_SECONDS: String(DRAIN_MS / 1_000), RUNTIME_DIRECTORY: runtime.path },
    });
    caller = await stack.makeCaller();
  });
  afterEach(async () => {
    await stack.stop();
    await runtime.remove();
  });

  async function expectNothingLeft(): Promise<void> {
    expect(await stack.gateway.exited).to.equal(0);
    expect(stack.gateway.events('stopped')).to.have.length(1);
    const pids = listWorkers(stack.gateway);
    expect(pids).to.have.length(2);
    expect(pids.filter(isRunning)).to.deep.equal([]);
    expect(readdirSync(runtime.path)).to.deep.equal([]);
  }

  async function readRows(): Promise<readonly Record<string, unknown>[]> {
    const { rows } = await stack.database.query<Record<string, unknown>>(
      'select * from gateway.audit_log where key_id = $1 order by admitted_at, id',
      [caller.keyId],
    );
    return rows;
  }

  async function startStreams(): Promise<readonly [RunningReply, RunningReply]> {
    const [one, other] = await openWorkerClients(stack.gateway, caller.key);
    if (!one || !other) throw new Error('a worker has no client');
    stack.ollama.next({ tokens: 40, paceMs: 20, promptTokens: 11 });
    const short = await one.chat();
    stack.ollama.next({ tokens: 5_000, paceMs: 20 });
    return [short, await other.chat()];
  }

  it('what ends in time ends whole, what does not is told, and each has its row', async () => {
    const { gateway, ollama } = stack;
    expect(readdirSync(runtime.path)).to.have.length(2);
    const [whole, long] = await startStreams();
    ollama.next({ firstByteMs: 20_000 });
    const seen = ollama.inferences.length;
    const waiting = post(`${gateway.url}/api/chat`, caller.key, CHAT);
    await ollama.received(seen + 1);

    const toldAtMs = systemClock.monotonicMs();
    gateway.kill('SIGTERM');
    await until(async () => !(await accepts(gateway.url)), {
      withinMs: 1_000,
      what: 'new connections to be refused',
    });
    const ready = await fetch(`${gateway.adminUrl}/readyz`);
    expect(ready.status).to.equal(503);
    expect(await ready.json()).to.have.property('status', 'fail');

    expect(await whole.ended).to.equal(true);
    expect(systemClock.monotonicMs() - toldAtMs).to.be.below(DRAIN_MS);
    expect(whole.lines()).to.have.length(41);
    expect(whole.lines().at(-1)).to.include('"done":true');

    expect(await long.ended).to.equal(true);
    expect(systemClock.monotonicMs() - toldAtMs).to.be.within(DRAIN_MS - 50, DRAIN_MS + 1_500);
    const error = '{"error":"The gateway is shutting down."}';
    expect(long.lines().at(-1)).to.equal(error);
    expect(long.lines().filter((line) => line === error)).to.have.length(1);

    const refused = await waiting;
    expect(refused.status).to.equal(503);
    expect(refused.headers.get('retry-after')).to.equal('1');
    expect(await refused.json()).to.deep.equal({ error: 'The gateway is shutting down.' });

    await expectNothingLeft();
    // At once: the primary ended only after it had moved them all.
    const rows = await readRows();
    expect(rows).to.have.length(3);
    expect(rows[0]).to.deep.include({
      id: whole.requestId,
      status: 200,
      outcome: 'ok',
      prompt_tokens: 11,
      completion_tokens: 40,
    });
    expect(rows[1]).to.deep.include({
      id: long.requestId,
      status: 200,
      outcome: 'upstream_error',
      completion_tokens: long.lines().length - 1,
      count_source: 'estimated',
    });
    expect(rows[2]).to.deep.include({
      id: refused.headers.get('request-id'),
      status: 503,
      completion_tokens: 0,
    });
    expect(ollama.inFlight).to.equal(0);
  });

  it('idle connections hold nothing up, and a second signal changes nothing', async () => {
    await openWorkerClients(stack.gateway, caller.key, { each: 3 });
    const toldAtMs = systemClock.monotonicMs();
    stack.gateway.kill('SIGTERM');
    stack.gateway.kill('SIGINT');
    await expectNothingLeft();
    expect(systemClock.monotonicMs() - toldAtMs).to.be.below(DRAIN_MS);
  });
});

describe('e2e: a drain that lasts longer than a primary may be silent', function () {
  this.timeout(40_000);
  const SILENCE_MS = 3_000;
  const LONG_DRAIN_MS = 8_000;
  let stack: Stack;

  beforeEach(async () => {
    stack = await startStack({
      env: {
        NZGW_PRIMARY_SILENCE_SECONDS: String(SILENCE_MS / 1_000),
        NZGW_DRAIN_SECONDS: String(LONG_DRAIN_MS / 1_000),
      },
    });
  });
  afterEach(() => stack.stop());

  it('is led to its end by a primary that goes on saying that it lives', async () => {
    const { gateway, ollama } = stack;
    const caller = await stack.makeCaller();
    const clients = await openWorkerClients(gateway, caller.key);
    ollama.always({ tokens: 50_000, paceMs: 20 });
    const replies = await Promise.all(clients.map((client) => client.chat()));

    const toldAtMs = systemClock.monotonicMs();
    gateway.kill('SIGTERM');
    expect(await gateway.exited).to.equal(0);
    const tookMs = systemClock.monotonicMs() - toldAtMs;
    expect(tookMs).to.be.within(LONG_DRAIN_MS - 50, LONG_DRAIN_MS + 2_000);
    expect(gateway.events('primary_silent')).to.deep.equal([]);
    expect(gateway.events('stopped')).to.have.length(1);
    for (const reply of replies) {
      expect(await reply.ended).to.equal(true);
      expect(reply.lines().at(-1)).to.equal('{"error":"The gateway is shutting down."}');
    }
    const rows = await stack.readAudit(caller.keyId, replies.length);
    expect(rows.map(({ id }) => id)).to.have.members(replies.map(({ requestId }) => requestId));
  });
});
