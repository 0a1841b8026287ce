import { expect } from 'chai';
import type { FaultProxy } from '../support/fault-proxy.ts';
import type { Step } from '../support/fault-steps.ts';
import { readRowsAtRest, spendRest } from '../support/kill-checks.ts';
import { ask, ASK_OUTPUT_TOKENS, openStream } from '../support/kill-requests.ts';
import { openKillWorld } from '../support/kill-world.ts';
import type { Caller, KillWorld } from '../support/kill-world.ts';
import { rounds } from '../support/rounds.ts';

const MOST_AT_ONCE = 4;
const ASK_CHARGE_TOKENS = 500 + ASK_OUTPUT_TOKENS;

for (const round of rounds({ ci: 1, full: 20 })) {
  const { index, random, seed } = round;
  /** What is cut off may also have been sent already: that is for the matrix. */
  const arrives = (): boolean => index > 0 && random() < 0.5;

  describe(`e2e: the primary is killed with -9 (seed ${seed})`, function () {
    this.timeout(60_000);
    let world: KillWorld;
    let caller: Caller;

    before(async () => {
      world = await openKillWorld();
    });
    after(() => world.stop());

    /** Some requests whose events the primary is killed with at a step; then the next one begins. */
    async function killAt(store: FaultProxy, step: Step, isCut: boolean): Promise<void> {
      caller = await world.makeCaller(random);
      await readRowsAtRest(world, caller);
      const killed = store.at(step, ({ cut }) => {
        world.killPrimary();
        if (isCut) cut();
      });
      const count = 1 + Math.floor(random() * MOST_AT_ONCE);
      const answers = await Promise.all(
        Array.from({ length: count }, () => ask(world.url, caller)),
      );
      await killed;
      await world.startNext();

      const served = answers.filter(({ status }) => status === 200);
      expect(served, 'of whom there is something to drain').not.to.deep.equal([]);
      const rows = await readRowsAtRest(world, caller);
      for (const { id } of served) {
        expect(rows.get(id)).to.include({ outcome: 'ok', charged_tokens: ASK_CHARGE_TOKENS });
      }
      await spendRest(world, caller);
    }

    it('before the commit of a drain arrives, if it does at all: each row is there once', () =>
      killAt(world.postgres, { command: 'commit', when: 'before' }, !arrives()));

    it('committed, and dead before it heard so: what is still in the stream changes nothing', () =>
      killAt(world.postgres, { command: 'commit', when: 'after' }, true));

    it('before what was drained is deleted, if it is at all: drained again it changes nothing', () =>
      killAt(world.redis, { command: 'xdel', when: 'before' }, !arrives()));

    it('once what was drained is deleted: nothing is left to do', () =>
      killAt(world.redis, { command: 'xdel', when: 'after' }, true));

    it('during streams: they are told, and each has the row of what it used', async () => {
      caller = await world.makeCaller(random, 12);
      const count = 1 + Math.floor(random() * MOST_AT_ONCE);
      const streams = await Promise.all(
        Array.from({ length: count }, () => openStream(world.url, caller)),
      );
      const renewed = { command: 'renew', when: 'after', nth: 1 } as const;
      if (random() < 0.5) await world.redis.at(renewed, () => undefined);
      world.killPrimary();
      const ends = await Promise.all(streams.map(({ ended }) => ended));
      await world.startNext();

      const rows = await readRowsAtRest(world, caller);
      expect(rows.size).to.equal(1 + count);
      for (const [n, { id }] of streams.entries()) {
        const { lines = [], cut } = ends[n] ?? {};
        expect(cut).to.equal(false);
        expect(lines.at(-1)).to.equal('{"error":"The gateway is shutting down."}');
        expect(rows.get(id)).to.include({
          outcome: 'upstream_error',
          completion_tokens: lines.length - 1,
        });
      }
      await spendRest(world, caller);
    });

    it('while a counter is filled: nobody passes without it, and the next one fills it', async () => {
      const when = arrives() ? 'after' : 'before';
      caller = await world.makeNewCaller(random);
      const killed = world.redis.at({ command: 'fill', when }, ({ cut }) => {
        world.killPrimary();
        cut();
      });
      const answers = await Promise.all(Array.from({ length: 4 }, () => ask(world.url, caller)));
      await killed;
      const allowed = when === 'before' ? [0, 503] : [0, 200, 503];
      for (const { status } of answers) expect(status).to.be.oneOf(allowed);

      await world.startNext();
      await spendRest(world, caller);
    });

    it('a fill of a dead owner that arrives late writes nothing', async () => {
      caller = await world.makeNewCaller(random);
      const filter = (args: readonly string[]): boolean => args.includes(`k:${caller.keyId}`);
      const fill = world.redis.hold({ command: 'fill', when: 'before', filter });
      const arrived = world.redis.at({ command: 'fill', when: 'after', filter }, () => undefined);
      const early = ask(world.url, caller);
      const held = await fill;
      world.killPrimary();
      expect((await early).status).to.be.oneOf([0, 503]);

      await world.startNext();
      const count = 1 + Math.floor(random() * MOST_AT_ONCE);
      for (let n = 0; n < count; n += 1) {
        expect((await ask(world.url, caller)).status).to.equal(200);
      }
      await readRowsAtRest(world, caller);
      held.pass();
      await arrived;
      expect((await readRowsAtRest(world, caller)).size).to.equal(count);
      await spendRest(world, caller);
    });
  });
}
