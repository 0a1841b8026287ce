import { expect } from 'chai';
import { startStack } from '../support/stack.ts';
import type { AuditRow, MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { accepts, listWorkers, openWorkerClients } from '../support/worker-client.ts';
import type { RunningReply, WorkerClient } from '../support/worker-client.ts';

const FIXTURE = new URL('../fixtures/cluster/throw-on-signal.ts', import.meta.url);
const LONG = { tokens: 5_000, paceMs: 20 };
const ERROR = '{"error":"The gateway is shutting down."}';

describe('e2e: a worker has a bug that no request answers for', function () {
  this.timeout(40_000);
  let stack: Stack;
  let caller: MadeKey;
  let clients: readonly WorkerClient[];

  beforeEach(async () => {
    stack = await startStack({
      env: { NODE_OPTIONS: `--import=${FIXTURE.href}`, NZGW_DRAIN_SECONDS: '5' },
    });
    caller = await stack.makeCaller();
    clients = await openWorkerClients(stack.gateway, caller.key, { each: 3 });
  });
  afterEach(async () => {
    for (const client of clients) client.close();
    await stack.stop();
  });

  /** Three clients of one worker and three of the other. */
  function pairClients(): readonly (readonly [WorkerClient, WorkerClient, WorkerClient])[] {
    const pids = [...new Set(clients.map(({ pid }) => pid))];
    return pids.map((pid) => {
      const [one, two, three] = clients.filter((client) => client.pid === pid);
      if (!one || !two || !three) throw new Error('a worker lacks clients');
      return [one, two, three] as const;
    });
  }

  /** Asks one after another until told to stop; the statuses it got. */
  async function keepAsking(client: WorkerClient, stop: AbortSignal): Promise<readonly number[]> {
    const statuses: number[] = [];
    while (!stop.aborted) statuses.push((await client.ask('GET', '/api/tags')).status);
    return statuses;
  }

  /** Ids of the chats that a worker answered with 200, by its log. */
  function listServed(pid: number): readonly unknown[] {
    return stack.gateway
      .events('request')
      .filter((line) => line['pid'] === pid && line['http.route'] === 'chat')
      .filter((line) => line['http.response.status_code'] === 200)
      .map((line) => line['request_id']);
  }

  /** The audit rows of these requests: one each, once they are there. */
  async function readRows(replies: readonly RunningReply[]): Promise<readonly AuditRow[]> {
    const ids = replies.map(({ requestId }) => requestId);
    const rows = await until(
      async () => {
        const all = await stack.readAudit(caller.keyId, ids.length);
        const own = all.filter(({ id }) => ids.includes(String(id)));
        return own.length >= ids.length && own;
      },
      { withinMs: 5_000, what: 'their audit rows' },
    );
    expect(rows.map(({ id }) => id)).to.have.members(ids);
    return rows;
  }

  for (const [what, signal, event] of [
    ['an exception', 'SIGUSR2', 'uncaught_exception'],
    ['a rejection', 'SIGWINCH', 'unhandled_rejection'],
  ] as const) {
    it(`${what}: it takes nothing new, tells and settles what runs, and ends with 70`, async () => {
      const { gateway, ollama } = stack;
      const [hit, spared] = pairClients();
      if (!hit || !spared) throw new Error('a worker has no client');
      ollama.next(LONG);
      const cut = await hit[0].chat();
      await until(() => cut.lines().length > 3, { withinMs: 3_000, what: 'the first tokens' });
      const begun = ollama.inferences.length;
      ollama.next({ firstByteMs: 20_000 });
      const waiting = hit[1].chat();
      await ollama.received(begun + 1);
      ollama.next({ tokens: 60, paceMs: 20 });
      const whole = await spared[0].chat();
      const stop = new AbortController();
      const asked = keepAsking(spared[1], stop.signal);

      process.kill(hit[0].pid, signal);
      await until(() => gateway.events(event).length > 0, {
        withinMs: 2_000,
        what: 'its last word',
      });
      // Its connection is closed: it gets 503, a reset, or on a new connection the other worker.
      const late = await hit[2].chat().catch(() => undefined);
      expect(await cut.ended).to.equal(true);
      expect(cut.lines().at(-1)).to.equal(ERROR);
      const refused = await waiting;
      expect(refused.status).to.equal(503);

      const [, , replacement] = await until(
        () => listWorkers(gateway).length === 3 && listWorkers(gateway),
        { withinMs: 5_000, what: 'another worker to listen' },
      );
      expect(gateway.events('worker_exit')).to.have.length(1);
      const exit = { process: 'primary', worker_pid: hit[0].pid, code: 70, signal: null };
      expect(gateway.events('worker_exit')[0]).to.include(exit);
      const said = {
        level: 'fatal',
        process: 'worker',
        pid: hit[0].pid,
        'error.type': 'RangeError',
      };
      expect(gateway.events(event)).to.have.length(1);
      expect(gateway.events(event)[0]).to.include(said);
      expect(gateway.output()).not.to.include('a prompt that no log may show');
      expect(gateway.events('entries_lost')).to.deep.equal([]);

      expect(await whole.ended).to.equal(true);
      expect(whole.lines().at(-1)).to.include('"done":true');
      stop.abort();
      expect(new Set(await asked)).to.deep.equal(new Set([200]));
      await late?.ended;
      expect(listServed(hit[0].pid)).to.deep.equal([cut.requestId]);
      const rows = await readRows([cut, refused, whole]);
      expect(rows.find(({ id }) => id === cut.requestId)).to.deep.include({
        status: 200,
        outcome: 'upstream_error',
        completion_tokens: cut.lines().length - 1,
        count_source: 'estimated',
      });
      expect(rows.find(({ id }) => id === refused.requestId)).to.deep.include({
        status: 503,
        completion_tokens: 0,
      });
      expect(ollama.inFlight).to.equal(0);
      const again = await openWorkerClients(gateway, caller.key);
      for (const client of again) client.close();
      expect(again.map(({ pid }) => pid)).to.have.members([spared[0].pid, replacement]);
    });
  }

  it('while it drains: it still ends with 70, and the gateway not with 0', async () => {
    const { gateway, ollama } = stack;
    const [one] = pairClients();
    if (!one) throw new Error('a worker has no client');
    ollama.next(LONG);
    const running = await one[0].chat();
    gateway.kill('SIGTERM');
    await until(async () => !(await accepts(gateway.url)), {
      withinMs: 5_000,
      what: 'the drain to begin',
    });
    process.kill(one[0].pid, 'SIGUSR2');
    expect(await gateway.exited).to.equal(1);
    expect(gateway.events('uncaught_exception')).to.have.length(1);
    expect(gateway.events('worker_exit')).to.have.length(1);
    expect(gateway.events('worker_exit')[0]).to.include({ worker_pid: one[0].pid, code: 70 });
    expect(await running.ended).to.equal(true);
    expect(running.lines().at(-1)).to.equal(ERROR);
  });
});
