import { expect } from 'chai';
import { isRunning } from '../support/is-running.ts';
import { openStream } from '../support/kill-requests.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { openReloadWorld } from '../support/reload-world.ts';
import type { ReloadWorld } from '../support/reload-world.ts';
import { until } from '../support/until.ts';
import { listWorkers, openWorkerClients } from '../support/worker-client.ts';

const SMALL = { NZGW_MAX_BODY_BYTES: '2000' };
const LONG = { tokens: 50_000, paceMs: 20 };
const ERROR = '{"error":"The gateway is shutting down."}';

describe('e2e: SIGHUP meets trouble', function () {
  this.timeout(120_000);
  let world: ReloadWorld;

  afterEach(() => world.stop());

  const untilTrue = (what: string, condition: () => boolean) =>
    until(condition, { withinMs: 30_000, what });
  const untilListening = (count: number) =>
    untilTrue(`${count} workers to listen`, () => listWorkers(world.stack.gateway).length >= count);

  it('a stream that outlasts the drain of its worker is told, cut and charged', async () => {
    world = await openReloadWorld({ drainSeconds: 2 });
    const { stack, caller } = world;
    stack.ollama.always(LONG);
    const streams = await Promise.all(
      Array.from({ length: 6 }, () => openStream(stack.gateway.url, caller, 5_000)),
    );
    const before = world.listRunning();
    await world.reload('reloaded');
    for (const { ended } of streams) {
      const { lines, cut } = await ended;
      expect(cut).to.equal(false);
      expect(lines.at(-1)).to.equal(ERROR);
      expect(lines.filter((line) => line === ERROR)).to.have.length(1);
    }
    await untilTrue('the old ones to be gone', () => !before.some(isRunning));
    expect(world.listRunning()).to.have.length(2);
    expect(stack.gateway.events('worker_exit')).to.deep.equal([]);
    const left = stack.gateway.events('worker_left');
    expect(left.map((line) => line['worker_pid'])).to.have.members(before);
    expect(new Set(left.map((line) => line['code']))).to.deep.equal(new Set([0]));
    await checkLedger(stack, { admitted: streams.map(({ id }) => id) });
  });

  it('a later worker that does not come up halts it, and another SIGHUP ends it well', async () => {
    world = await openReloadWorld();
    const { gateway, ollama } = world.stack;
    const clients = await openWorkerClients(gateway, world.caller.key);
    ollama.always({ tokens: 150, paceMs: 50 });
    const replies = await Promise.all(clients.map((client) => client.chat()));
    const before = world.listRunning();
    world.writeSettings(SMALL);
    gateway.kill('SIGHUP');
    await untilListening(3);
    world.letStartsFail(true);
    await untilTrue('the halt', () => gateway.events('reload_halted').length === 1);
    for (const reply of replies) {
      expect(await reply.ended).to.equal(true);
      expect(reply.lines().at(-1)).to.include('"done":true');
    }
    for (const client of clients) client.close();
    const now = world.listRunning();
    expect(now).to.have.length(2);
    expect(now.filter((pid) => before.includes(pid))).to.have.length(1);

    // Whoever takes the place of the old one that is left has the new settings.
    world.letStartsFail(false);
    process.kill(now.find((pid) => before.includes(pid)) ?? 0, 'SIGKILL');
    await untilListening(4);
    for (let n = 0; n < 8; n += 1) expect(await world.askLarge()).to.equal(413);
    world.writeSettings({});
    await world.reload('reloaded');
    expect(await world.askLarge()).to.equal(200);
  });

  it('an old worker that dies meanwhile leaves neither one too many nor one too few', async () => {
    world = await openReloadWorld();
    const { gateway } = world.stack;
    const before = world.listRunning();
    world.writeSettings(SMALL);
    gateway.kill('SIGHUP');
    await untilTrue('the first trial', () => gateway.events('reloading').length === 1);
    process.kill(before[1] ?? 0, 'SIGKILL');
    await untilTrue('the end of it', () => gateway.events('reloaded').length === 1);
    await untilTrue('two workers', () => world.listRunning().length === 2);
    expect(gateway.events('worker_exit')).to.have.length(1);
    expect(world.listRunning().filter((pid) => before.includes(pid))).to.deep.equal([]);
    for (let n = 0; n < 8; n += 1) expect(await world.askLarge()).to.equal(413);
    expect(world.listRunning()).to.have.length(2);
  });

  it('an old worker that is stopped and heeds no drain holds up nothing for ever', async () => {
    world = await openReloadWorld({ drainSeconds: 1 });
    const { gateway } = world.stack;
    const [old = 0] = world.listRunning();
    process.kill(old, 'SIGSTOP');
    world.writeSettings(SMALL);
    await world.reload('reloaded');
    expect(isRunning(old)).to.equal(false);
    await untilTrue('two workers', () => world.listRunning().length === 2);
    for (let n = 0; n < 8; n += 1) expect(await world.askLarge()).to.equal(413);
    expect(gateway.isRunning()).to.equal(true);
  });

  it('workers that die as soon as they start end it and the gateway, and none is left', async () => {
    world = await openReloadWorld({ workers: 3 });
    const { gateway, ollama } = world.stack;
    const clients = await openWorkerClients(gateway, world.caller.key, { workers: 3 });
    ollama.always(LONG);
    await Promise.all(clients.map((client) => client.chat()));
    // The one that was started first is on its way out by then: nobody would take its place.
    const youngest = Math.max(...listWorkers(gateway));
    gateway.kill('SIGHUP');
    await untilListening(4);
    world.letStartsFail(true);
    process.kill(youngest, 'SIGKILL');
    await untilTrue('the crash', () => gateway.events('crash_loop').length === 1);
    world.letStartsFail(false);
    expect(await gateway.exited).to.equal(70);
    expect(listWorkers(gateway)).to.have.length(4);
    expect(listWorkers(gateway).filter(isRunning)).to.deep.equal([]);
    for (const client of clients) client.close();
  });
});
