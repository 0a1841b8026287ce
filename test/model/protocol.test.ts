import { expect } from 'chai';
import fc from 'fast-check';
import { readRuns } from '../support/rounds.ts';
import { drawCommands } from './arbitrary.ts';
import { bringToRest } from './bring-to-rest.ts';
import { begin, openWorlds } from './open-worlds.ts';
import type { Worlds } from './open-worlds.ts';
import type { RealWorld } from './real-world.ts';
import type { Story } from './story.ts';

/** The end of a year, an ordinary noon, and the evening before a leap day. */
export const STARTS = ['2025-12-31T23:59:20Z', '2025-03-15T12:00:00Z', '2024-02-28T23:58:00Z'].map(
  (text) => Date.parse(text),
);
const MOST_COMMANDS = 90;

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
    const stories: Story[] = [];
    const property = fc.asyncProperty(
      fc.constantFrom(...STARTS),
      fc.nat({ max: 30 }),
      drawCommands(MOST_COMMANDS),
      async (startMs, limits, commands) => {
        let story: Story | undefined;
        await fc.asyncModelRun(async () => {
          story = await begin(real, startMs, limits);
          stories.push(story);
          return { model: story, real };
        }, commands);
        if (story) await bringToRest(story, real);
      },
    );
    await fc.assert(property, { numRuns: runs, seed });
    const mean = stories.reduce((sum, { commands }) => sum + commands, 0) / stories.length;
    expect(mean, 'commands a run').to.be.at.least(30);
  });
});
