import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import type { Step } from '../support/fault-steps.ts';
import { listForwarded, readRowsAtRest, spendRest } from '../support/kill-checks.ts';
import { ask, ASK_OUTPUT_TOKENS, openStream } from '../support/kill-requests.ts';
import type { Answer } from '../support/kill-requests.ts';
import { openKillWorld } from '../support/kill-world.ts';
import type { Caller, KillWorld } from '../support/kill-world.ts';
import { rounds } from '../support/rounds.ts';
import type { Round } from '../support/rounds.ts';
import { until } from '../support/until.ts';

const CLIENTS = 4;
const PAUSE_MS = 20;
const OUTAGE_MS = 1_500;
const LONGER_OUTAGE_MS = 60_000;
/** One outage in so many is a long one. */
const LONGER_EVERY = 5;
const BACK_WITHIN_MS = 15_000;
const ASK_CHARGE_TOKENS = 500 + ASK_OUTPUT_TOKENS;

interface Load {
  /** Statuses that were answered since the last time that this was asked. */
  take(): ReadonlySet<number>;
  /** Admission ids of all that was served. */
  stop(): Promise<readonly string[]>;
}

/** Clients that ask one request after another, until told to stop. */
function startLoad(world: KillWorld, caller: Caller): Load {
  const served: string[] = [];
  let statuses = new Set<number>();
  const stopped = new AbortController();
  const note = ({ status, id }: Answer): void => {
    statuses.add(status);
    if (status === 200) served.push(id);
  };
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!stopped.signal.aborted) {
      note(await ask(world.url, caller));
      await wait(PAUSE_MS);
    }
  });
  return {
    take: () => {
      const taken = statuses;
      statuses = new Set();
      return taken;
    },
    stop: async () => {
      stopped.abort();
      await Promise.all(clients);
      return served;
    },
  };
}

for (const round of rounds({ ci: 1, full: 20 })) {
  const { random, seed } = round;

  describe(`e2e: Postgres is away (seed ${seed})`, function () {
    this.timeout(150_000);
    let world: KillWorld;

    before(async () => {
      world = await openKillWorld({ workers: 2 });
    });
    after(() => world.stop());

    for (const [how, nth] of [
      ['blackhole', 0],
      ['reset', 1],
    ] as const) {
      it(`${how} under load: no limit is passed, and every request has its row afterwards`, async () => {
        // One who never comes to the end of a budget, and one who soon does.
        const rich = await world.makeCaller(random, 100_000);
        const poor = await world.makeCaller(random, 20 + Math.floor(random() * 40));
        const loads = [startLoad(world, rich), startLoad(world, poor)];
        const stream = await openStream(world.url, rich, 100 + Math.floor(random() * 400));
        await wait(random() * 500);
        world.postgres[how]();
        await until(() => loads[0]?.take().has(503), { withinMs: 3_000, what: 'refusals' });
        await stayAway(round, nth);
        for (const load of loads) {
          for (const status of load.take()) expect(status).to.be.oneOf([200, 429, 503]);
        }
        world.postgres.pass();
        await until(() => loads[0]?.take().has(200), { withinMs: BACK_WITHIN_MS, what: 'answers' });

        expect((await stream.ended).cut).to.equal(false);
        const served = await Promise.all(loads.map((load) => load.stop()));
        const rows = await readRowsAtRest(world, rich);
        expect(rows.get(stream.id)).to.include({ outcome: 'ok' });
        for (const id of served[0] ?? []) {
          expect(rows.get(id)).to.include({ outcome: 'ok', charged_tokens: ASK_CHARGE_TOKENS });
        }
        // The warm-up, the stream, and what was served; no more, since nothing was cut.
        expect(rows.size).to.equal(2 + (served[0]?.length ?? 0));
        await untilServing(world, poor);
        await spendRest(world, poor);
      });
    }

    for (const [what, step] of [
      ['between insert and commit', { command: 'commit', when: 'before' }],
      ['after the commit, before its reply', { command: 'commit', when: 'after' }],
    ] as const satisfies readonly (readonly [string, Step])[]) {
      it(`the drain's session cut ${what}: each row is there once, none is lost`, async () => {
        const caller = await world.makeCaller(random, 12);
        await readRowsAtRest(world, caller);
        const seen = listForwarded(world).length;
        const cut = world.postgres.at(step, (held) => {
          held.cut();
        });
        const count = 1 + Math.floor(random() * 6);
        await Promise.all(Array.from({ length: count }, () => ask(world.url, caller)));
        await cut;
        const rows = await readRowsAtRest(world, caller);
        const forwarded = listForwarded(world, seen);
        expect(forwarded).to.have.length(count);
        for (const id of forwarded) {
          expect(rows.get(id)).to.include({ outcome: 'ok', charged_tokens: ASK_CHARGE_TOKENS });
        }
        expect(rows.size).to.equal(1 + count);
        await untilServing(world, caller);
        await spendRest(world, caller);
      });
    }
  });
}

/** A minute in some rounds of the matrix, some seconds else. */
function stayAway({ index, random }: Round, nth: number): Promise<void> {
  const isLong = index % LONGER_EVERY === 1 + nth;
  return wait(isLong ? LONGER_OUTAGE_MS : OUTAGE_MS * (0.5 + random()));
}

/** All workers again, not only the one that found its way back first. */
async function untilServing(world: KillWorld, caller: Caller): Promise<void> {
  await until(
    async () => {
      const asked = Array.from({ length: 2 * CLIENTS }, () => ask(world.url, caller));
      return (await Promise.all(asked)).every(({ status }) => status !== 503);
    },
    { withinMs: BACK_WITHIN_MS, what: 'all workers to serve again' },
  );
}
