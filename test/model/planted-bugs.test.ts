import { expect } from 'chai';
import fc from 'fast-check';
import { loadMovableScripts } from '../support/movable-time.ts';
import { openWorlds } from './open-worlds.ts';
import type { Worlds } from './open-worlds.ts';
import { plant, PLANTED_BUGS } from './planted-bugs.ts';
import { makeProperty } from './property.ts';

/** Fixed, so that a bug that is found is found again. */
const SEED = 20_251_124;
const RUNS = 60;

describe('model: the test of the test', () => {
  let worlds: Worlds;
  before(async function () {
    this.timeout(60_000);
    worlds = await openWorlds();
  });
  after(() => worlds.close());

  for (const bug of PLANTED_BUGS) {
    it(`finds that ${bug.what}`, async function () {
      this.timeout(120_000);
      const real = await worlds.open(plant(loadMovableScripts(), bug));
      try {
        const property = makeProperty(real, () => undefined);
        const found = await fc.check(property, { numRuns: RUNS, seed: SEED, endOnFailure: true });
        expect(found.failed, `found in ${RUNS} runs`).to.equal(true);
      } finally {
        real.close();
      }
    });
  }
});
