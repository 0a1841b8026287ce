import { expect } from 'chai';
import { Agent } from 'node:http';
import { systemClock } from '../../lib/time/clock.ts';
import { openStream } from '../support/kill-requests.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { askOnce, keepAsking, openReloadWorld } from '../support/reload-world.ts';
import type { ReloadWorld } from '../support/reload-world.ts';
import { rounds } from '../support/rounds.ts';
import { until } from '../support/until.ts';
import { accepts } from '../support/worker-client.ts';

const STREAMS = 200;
const SMALL = { NZGW_MAX_BODY_BYTES: '2000' };

describe('e2e: SIGHUP', function () {
  this.timeout(120_000);
  let world: ReloadWorld;

  afterEach(() => world.stop());

  for (const { seed, random } of rounds({ ci: 1, full: 20 })) {
    it(`under ${STREAMS} streams cuts none and refuses nobody (seed ${seed})`, async () => {
      world = await openReloadWorld();
      const { stack, caller } = world;
      const { gateway, ollama } = stack;
      const before = world.listRunning();
      ollama.always({ tokens: 40 + Math.floor(random() * 40), paceMs: 100 });
      const streams = await Promise.all(
        Array.from({ length: STREAMS }, () => openStream(gateway.url, caller)),
      );
      for (const { status } of streams) expect(status).to.equal(200);

      const agent = new Agent({ keepAlive: true });
      const fresh = keepAsking(() => askOnce(gateway.url, caller.key), 2);
      const kept = keepAsking(() => askOnce(gateway.url, caller.key, { agent }), 2);
      const bare = keepAsking(async () => ((await accepts(gateway.url)) ? 200 : 0), 1);
      world.writeSettings(SMALL);
      await world.reload('reloaded');

      for (const asking of [fresh, kept, bare]) {
        const outcomes = await asking.stop();
        expect(outcomes.length).to.be.above(5);
        expect(new Set(outcomes)).to.deep.equal(new Set([200]));
      }
      agent.destroy();
      for (const { ended } of streams) {
        const { lines, cut } = await ended;
        expect(cut).to.equal(false);
        expect(lines.at(-1)).to.include('"done":true');
      }
      const now = world.listRunning();
      expect(now).to.have.length(2);
      expect(now.filter((pid) => before.includes(pid))).to.deep.equal([]);
      expect(gateway.events('worker_exit')).to.deep.equal([]);
      expect(await world.askLarge()).to.equal(413);
      await checkLedger(stack, { admitted: streams.map(({ id }) => id) });
    });
  }

  it('with one worker refuses nobody either, on the same port', async () => {
    world = await openReloadWorld({ workers: 1 });
    const { stack, caller } = world;
    const port = Number(new URL(stack.gateway.url).port);
    const asking = keepAsking(() => askOnce(stack.gateway.url, caller.key), 4);
    await world.reload('reloaded');
    expect(new Set(await asking.stop())).to.deep.equal(new Set([200]));
    const ports = stack.gateway.events('worker_listening').map((line) => line['port']);
    expect(ports).to.deep.equal([port, port]);
    expect(stack.gateway.events('listening')).to.have.length(1);
  });

  it('again while it is being done is remembered once', async () => {
    world = await openReloadWorld();
    const { gateway } = world.stack;
    gateway.kill('SIGHUP');
    await until(() => gateway.events('reloading').length === 1, {
      withinMs: 5_000,
      what: 'the first roll',
    });
    for (let n = 0; n < 5; n += 1) gateway.kill('SIGHUP');
    world.writeSettings(SMALL);
    await until(() => gateway.events('reloaded').length === 2, {
      withinMs: 60_000,
      what: 'the second roll',
    });
    expect(await world.askLarge()).to.equal(413);
    expect(gateway.events('reloading')).to.have.length(2);
  });

  it('with a fault in the file changes nothing, and says what is wrong without a secret', async () => {
    world = await openReloadWorld({ settings: SMALL });
    const { gateway } = world.stack;
    const before = world.listRunning();
    world.writeSettings({
      NZGW_MAX_BODY_BYTES: 'many',
      NZGW_KEY_PEPPER_PREVIOUS: 'too short a secret',
      LOG_LEVEL: 'error',
    });
    await world.reload('reload_refused');
    const [line] = gateway.events('reload_refused');
    expect(line?.['faults']).to.include('NZGW_MAX_BODY_BYTES').and.include('PEPPER_PREVIOUS');
    expect(gateway.output()).to.not.include('too short a secret');
    expect(world.listRunning()).to.deep.equal(before);
    expect(await world.askLarge()).to.equal(413);

    // What takes a dead one's place goes by the settings in force, not by the file.
    process.kill(before[0] ?? 0, 'SIGKILL');
    await until(() => world.listRunning().length === 2, { withinMs: 5_000, what: 'a replacement' });
    for (let n = 0; n < 8; n += 1) expect(await world.askLarge()).to.equal(413);
  });

  it('names what needs a restart, which keeps its value', async () => {
    world = await openReloadWorld();
    const { gateway } = world.stack;
    world.writeSettings({ ...SMALL, NZGW_ADMIN_HOST: '127.0.0.2', NZGW_TRUST_POLL_MS: '300' });
    await world.reload('reloaded');
    const [line] = gateway.events('restart_needed');
    expect(line).to.include({ level: 'warn', settings: 'NZGW_ADMIN_HOST, NZGW_TRUST_POLL_MS' });
    expect((await fetch(`${gateway.adminUrl}/readyz`)).status).to.equal(200);
    expect(await world.askLarge()).to.equal(413);
  });

  it('whose new worker does not come up leaves all as it was', async () => {
    world = await openReloadWorld();
    const { gateway } = world.stack;
    const before = world.listRunning();
    world.writeSettings(SMALL);
    world.letStartsFail(true);
    await world.reload('reload_failed');
    expect(world.listRunning()).to.deep.equal(before);
    expect(gateway.events('worker_exit')).to.deep.equal([]);
    expect(await world.askLarge()).to.equal(200);

    world.letStartsFail(false);
    process.kill(before[0] ?? 0, 'SIGKILL');
    await until(() => world.listRunning().length === 2, { withinMs: 5_000, what: 'a replacement' });
    for (let n = 0; n < 8; n += 1) expect(await world.askLarge()).to.equal(200);
    await world.reload('reloaded');
    expect(await world.askLarge()).to.equal(413);
  });

  it('and then SIGTERM ends all, with every stream told in the time of the drain', async () => {
    world = await openReloadWorld({ drainSeconds: 3 });
    const { stack, caller } = world;
    const { gateway } = stack;
    stack.ollama.always({ tokens: 5_000, paceMs: 20 });
    const streams = await Promise.all(
      Array.from({ length: 6 }, () => openStream(gateway.url, caller, 5_000)),
    );
    gateway.kill('SIGHUP');
    await until(() => gateway.events('worker_listening').length === 3, {
      withinMs: 10_000,
      what: 'a new worker',
    });
    const toldAtMs = systemClock.monotonicMs();
    gateway.kill('SIGTERM');
    expect(await gateway.exited).to.equal(0);
    expect(systemClock.monotonicMs() - toldAtMs).to.be.below(6_000);
    for (const { ended } of streams) {
      const { lines, cut } = await ended;
      expect(cut).to.equal(false);
      expect(lines.at(-1)).to.equal('{"error":"The gateway is shutting down."}');
    }
    expect(world.listRunning()).to.deep.equal([]);
    expect(gateway.events('worker_exit')).to.deep.equal([]);
    await checkLedger(stack, { admitted: streams.map(({ id }) => id) });
  });
});
