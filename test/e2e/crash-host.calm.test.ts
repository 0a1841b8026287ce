import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import { expectLost, listForwarded, readRowsAtRest, spendRest } from '../support/kill-checks.ts';
import { ask, openStream } from '../support/kill-requests.ts';
import { openKillWorld } from '../support/kill-world.ts';
import type { Caller, KillWorld } from '../support/kill-world.ts';
import { rounds } from '../support/rounds.ts';
import { until } from '../support/until.ts';

const LEASE_MS = 3_000;
/** The owner looks every second. */
const REAPED_WITHIN_MS = LEASE_MS + 2_000;
const LONGEST_HOLD_MS = 45_000;

for (const round of rounds({ ci: 1, full: 20 })) {
  const { random, seed } = round;

  describe(`e2e: all of a host is killed with -9 (seed ${seed})`, function () {
    this.timeout(60_000);
    let world: KillWorld;
    let caller: Caller;

    before(async () => {
      world = await openKillWorld({ leaseSeconds: LEASE_MS / 1_000 });
    });
    after(() => world.stop());
    beforeEach(async () => {
      caller = await world.makeCaller(random);
    });

    it('during streams and an admission: all is held until its lease is over, and charged whole', async () => {
      const streams = [await openStream(world.url, caller), await openStream(world.url, caller)];
      if (random() < 0.5)
        await world.redis.at({ command: 'renew', when: 'after' }, () => undefined);
      const seen = listForwarded(world).length;
      const killed = world.redis.at({ command: 'admit', when: 'after' }, ({ cut }) => {
        world.killAll();
        cut();
      });
      expect((await ask(world.url, caller)).status).to.equal(0);
      await killed;
      const killedAtMs = systemClock.monotonicMs();
      for (const { ended } of streams) expect((await ended).cut).to.equal(true);
      expect(listForwarded(world, seen)).to.deep.equal([]);
      const left = await world.readHolds();
      expect(left.size).to.equal(streams.length + 1);
      expect([...left.keys()]).to.include.members(streams.map(({ id }) => id));

      await world.startNext();
      await until(async () => (await world.readHolds()).size === 0, {
        withinMs: REAPED_WITHIN_MS - (systemClock.monotonicMs() - killedAtMs),
        what: 'the leases to be over',
      });
      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(1 + left.size);
      // Nobody can tell how far they came.
      for (const [id, hold] of left) expectLost(rows.get(id), hold, hold.heldTokens);
      await spendRest(world, caller);
    });

    it('settled, and not yet drained: the next owner finds what was used', async () => {
      const outputTokens = 20 + Math.floor(random() * 100);
      const stream = await openStream(world.url, caller, outputTokens);
      await world.redis.at(
        { command: 'settle', when: 'after', filter: (args) => args.includes(stream.id) },
        ({ cut }) => {
          world.killAll();
          cut();
        },
      );
      await world.startNext();
      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(2);
      expect(rows.get(stream.id)).to.include({
        outcome: 'ok',
        charged_tokens: 20 + outputTokens,
      });
      await spendRest(world, caller);
    });
  });
}

// A minute each, for the leases that are the default.
for (const round of rounds({ ci: 0, full: 5 })) {
  it(`e2e: a killed host's requests hold nothing after 45 s, with the default leases (seed ${round.seed})`, async function () {
    this.timeout(120_000);
    const world = await openKillWorld({ leaseSeconds: 30, renewSeconds: 5 });
    try {
      const caller = await world.makeCaller(round.random);
      const streams = [await openStream(world.url, caller), await openStream(world.url, caller)];
      const renewed = { command: 'renew', when: 'after' } as const;
      if (round.random() < 0.5) await world.redis.at(renewed, () => undefined);
      world.killAll();
      const killedAtMs = systemClock.monotonicMs();
      await Promise.all(streams.map(({ ended }) => ended));
      const left = await world.readHolds();
      expect(left.size).to.equal(streams.length);
      await world.startNext();
      await until(async () => (await world.readHolds()).size === 0, {
        withinMs: LONGEST_HOLD_MS - (systemClock.monotonicMs() - killedAtMs),
        what: 'every hold to end',
      });
      const rows = await readRowsAtRest(world, caller);
      for (const [id, hold] of left) expectLost(rows.get(id), hold, hold.heldTokens);
      await spendRest(world, caller);
    } finally {
      await world.stop();
    }
  });
}
