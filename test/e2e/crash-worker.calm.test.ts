import { expect } from 'chai';
import type { LiveHold } from '../../lib/inspection/live-holds.ts';
import type { Step } from '../support/fault-steps.ts';
import { expectLost, listForwarded, readRowsAtRest, spendRest } from '../support/kill-checks.ts';
import { ask, openStream } from '../support/kill-requests.ts';
import { openKillWorld } from '../support/kill-world.ts';
import type { Caller, KillWorld } from '../support/kill-world.ts';
import { rounds } from '../support/rounds.ts';

/** What the worker leaves in Redis when it is killed at a step; by then another has taken its place. */
async function killWorkerAt(world: KillWorld, step: Step): Promise<ReadonlyMap<string, LiveHold>> {
  const pid = world.workerPid;
  const exit = world.holdExit();
  await world.redis.at(step, ({ cut }) => {
    world.killWorker();
    cut();
  });
  const seen = await exit;
  const left = await world.readHolds();
  seen.pass();
  await world.untilReplaced(pid);
  return left;
}

for (const round of rounds({ ci: 1, full: 20 })) {
  const { random, seed } = round;

  describe(`e2e: the worker is killed with -9 (seed ${seed})`, function () {
    this.timeout(60_000);
    let world: KillWorld;
    let caller: Caller;

    before(async () => {
      world = await openKillWorld();
    });
    after(() => world.stop());
    beforeEach(async () => {
      caller = await world.makeCaller(random);
    });

    /** Some streams that run on the same worker meanwhile. */
    async function openBystanders(): Promise<void> {
      const count = Math.floor(random() * 3);
      const streams = Array.from({ length: count }, () => openStream(world.url, caller));
      for (const { status } of await Promise.all(streams)) expect(status).to.equal(200);
    }

    it('before its question for admission reaches Redis: as if it had never been asked', async () => {
      await openBystanders();
      const seen = listForwarded(world).length;
      const kill = killWorkerAt(world, { command: 'admit', when: 'before' });
      const answer = await ask(world.url, caller);
      const left = await kill;

      expect(answer.status).to.equal(0);
      expect(listForwarded(world, seen)).to.deep.equal([]);
      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(1 + left.size);
      for (const [id, hold] of left) expectLost(rows.get(id), hold);
      await spendRest(world, caller);
    });

    it('admitted, and dead before it heard so: one row, nothing charged, nothing sent upstream', async () => {
      const seen = listForwarded(world).length;
      const kill = killWorkerAt(world, { command: 'admit', when: 'after' });
      const answer = await ask(world.url, caller);
      const left = await kill;

      expect(answer.status).to.equal(0);
      expect(listForwarded(world, seen)).to.deep.equal([]);
      expect([...left.values()].map(({ heldTokens }) => heldTokens)).to.deep.equal([
        world.holdTokens,
      ]);
      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(2);
      for (const [id, hold] of left) expectLost(rows.get(id), hold, 0);
      await spendRest(world, caller);
    });

    it('in the middle of its streams: each is lost, and charged with what was told of it last', async () => {
      const stream = await openStream(world.url, caller);
      await openBystanders();
      const left = await killWorkerAt(world, {
        command: 'renew',
        nth: 1 + Math.floor(random() * 2),
        when: random() < 0.5 ? 'before' : 'after',
        filter: (args) => args.includes(stream.id),
      });

      expect((await stream.ended).cut).to.equal(true);
      expect([...left.keys()]).to.include(stream.id);
      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(1 + left.size);
      for (const [id, hold] of left) expectLost(rows.get(id), hold);
      await spendRest(world, caller);
    });

    it('before its settlement reaches Redis: lost, and charged with what was told of it last', async () => {
      const stream = await openStream(world.url, caller, 20 + Math.floor(random() * 200));
      await openBystanders();
      const left = await killWorkerAt(world, {
        command: 'settle',
        when: 'before',
        filter: (args) => args.includes(stream.id),
      });

      const { lines, cut } = await stream.ended;
      expect(cut).to.equal(false);
      expect(lines.at(-1)).to.include('"done":true');
      expect([...left.keys()]).to.include(stream.id);
      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(1 + left.size);
      for (const [id, hold] of left) expectLost(rows.get(id), hold);
      await spendRest(world, caller);
    });

    it('settled, and dead before it heard so: its row tells what was used, once', async () => {
      const outputTokens = 20 + Math.floor(random() * 200);
      const stream = await openStream(world.url, caller, outputTokens);
      await openBystanders();
      const left = await killWorkerAt(world, {
        command: 'settle',
        when: 'after',
        filter: (args) => args.includes(stream.id),
      });

      expect([...left.keys()]).not.to.include(stream.id);
      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(2 + left.size);
      for (const [id, hold] of left) expectLost(rows.get(id), hold);
      expect(rows.get(stream.id)).to.include({
        outcome: 'ok',
        prompt_tokens: 20,
        completion_tokens: outputTokens,
        charged_tokens: 20 + outputTokens,
      });
      await spendRest(world, caller);
    });
  });
}
