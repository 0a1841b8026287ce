import { expect } from 'chai';
import { expectLost, listForwarded, readRowsAtRest, spendRest } from '../support/kill-checks.ts';
import { ask } from '../support/kill-requests.ts';
import { openKillWorld } from '../support/kill-world.ts';
import type { Caller, KillWorld } from '../support/kill-world.ts';
import { rounds } from '../support/rounds.ts';

for (const round of rounds({ ci: 1, full: 20 })) {
  describe(`e2e: a killed worker's last words (seed ${round.seed})`, function () {
    this.timeout(60_000);
    let world: KillWorld;
    let caller: Caller;
    let workerPid: number;

    before(async () => {
      // Far beyond the test: what lapses here has not been found by its exit.
      world = await openKillWorld({ leaseSeconds: 60 });
    });
    after(() => world.stop());
    beforeEach(async () => {
      caller = await world.makeCaller(round.random);
      ({ workerPid } = world);
    });

    it('a question for admission that arrives after its exit was seen holds nothing for long', async () => {
      const seen = listForwarded(world).length;
      const question = world.redis.hold({ command: 'admit', when: 'before' });
      const arrived = world.redis.at({ command: 'admit', when: 'after' }, () => undefined);
      const exit = world.holdExit();
      const ended = world.redis.at({ command: 'exit', when: 'after' }, () => undefined);
      const answer = ask(world.url, caller);
      const held = await question;
      world.killWorker();
      (await exit).pass();
      await ended;
      held.pass();
      await arrived;
      // None where the machine was so busy that its deadline had passed.
      const left = await world.readHolds();

      expect((await answer).status).to.equal(0);
      expect(listForwarded(world, seen)).to.deep.equal([]);
      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(1 + left.size);
      for (const [id, hold] of left) expectLost(rows.get(id), hold, 0);
      await world.untilReplaced(workerPid);
      await spendRest(world, caller);
    });

    it('a 503 costs nothing, though its worker is killed as it takes back the admission', async () => {
      const when = round.index > 0 && round.random() < 0.5 ? 'after' : 'before';
      const seen = listForwarded(world).length;
      const killed = world.redis.at({ command: 'cancel', when }, ({ cut }) => {
        world.killWorker();
        cut();
      });
      const unheard = world.redis.at({ command: 'admit', when: 'after' }, ({ cut }) => {
        cut();
      });
      const { status, id } = await ask(world.url, caller);
      await unheard;
      expect(status).to.equal(503);
      const [hold] = (await world.readHolds()).values();
      expect(hold).to.include({ id, heldTokens: world.holdTokens });
      await killed;

      expect(listForwarded(world, seen)).to.deep.equal([]);
      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(when === 'before' ? 2 : 1);
      if (when === 'before' && hold) expectLost(rows.get(id), hold, 0);
      await world.untilReplaced(workerPid);
      await spendRest(world, caller);
    });
  });
}
