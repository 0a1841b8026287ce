import fc from 'fast-check';
import { drawCommands } from './arbitrary.ts';
import type { MIXES } from './arbitrary.ts';
import { bringToRest } from './bring-to-rest.ts';
import { begin } from './open-worlds.ts';
import type { RealWorld } from './real-world.ts';
import type { Story } from './story.ts';

/** The end of a year, an ordinary noon, and the evening before a leap day. */
const STARTS = ['2025-12-31T23:59:20Z', '2025-03-15T12:00:00Z', '2024-02-28T23:58:00Z'];
const MOST_COMMANDS = 110;

/** Whatever happens in whatever order: every promise of the protocol holds. Tells each run's story. */
export function makeProperty(
  real: RealWorld,
  tell: (story: Story) => void,
  mix: keyof typeof MIXES = 'all',
): fc.IAsyncProperty<unknown[]> {
  return fc.asyncProperty(
    fc.constantFrom(...STARTS.map((text) => Date.parse(text))),
    fc.nat({ max: 30 }),
    drawCommands(MOST_COMMANDS, mix),
    async (startMs, limits, commands) => {
      const story = await begin(real, startMs, limits);
      tell(story);
      await fc.asyncModelRun(() => ({ model: story, real }), commands);
      await bringToRest(story, real);
    },
  );
}
