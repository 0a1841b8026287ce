import { expect } from 'chai';
import fc from 'fast-check';
import { readRuns } from '../support/rounds.ts';
import { openWorlds } from './open-worlds.ts';
import type { Worlds } from './open-worlds.ts';
import { makeProperty } from './property.ts';
import type { RealWorld } from './real-world.ts';
import type { Story } from './story.ts';

describe('model: the ledger protocol', () => {
  let worlds: Worlds;
  let real: RealWorld;
  before(async function () {
    this.timeout(60_000);
    worlds = await openWorlds();
    real = await worlds.open();
  });
  after(async () => {
    real.close();
    await worlds.close();
  });

  it('keeps its promises whatever happens in whatever order', async function () {
    const { runs, seed } = readRuns({ ci: 300, full: 10_000 });
    if (runs === 0) return;
    this.timeout(60_000 + runs * 2_000);
    const told = { stories: 0, commands: 0, undisturbed: 0 };
    let last: Story | undefined;
    const sumUp = (): void => {
      told.stories += 1;
      told.commands += last?.commands ?? 0;
      told.undisturbed += last?.disturbed === false ? 1 : 0;
    };
    const property = makeProperty(real, (story) => {
      if (last) sumUp();
      last = story;
    });
    await fc.assert(property, { numRuns: runs, seed });
    sumUp();
    if (runs < 100) return;
    expect(told.commands / told.stories, 'commands a run').to.be.at.least(30);
    expect(told.undisturbed / told.stories, 'runs that need no comparison').to.be.at.least(0.05);
  });

  it('keeps them where Redis loses its data again and again', async function () {
    const { runs, seed } = readRuns({ ci: 100, full: 10_000 });
    if (runs === 0) return;
    this.timeout(60_000 + runs * 2_000);
    await fc.assert(
      makeProperty(real, () => undefined, 'losses'),
      { numRuns: runs, seed },
    );
  });
});
