import type fc from 'fast-check';
import type { RealWorld } from './real-world.ts';
import type { Story } from './story.ts';

/** Something that happens to a shard. */
export interface Action {
  readonly name: string;
  /** Whether it can happen now. */
  readonly canRun?: (story: Story) => boolean;
  readonly run: (story: Story, real: RealWorld) => Promise<void>;
}

/** An action as fast-check wants it: the story is its model, and counts what was done. */
export function toCommand(action: Action): fc.AsyncCommand<Story, RealWorld> {
  return {
    check: (story) => action.canRun?.(story as Story) ?? true,
    run: (story, real) => {
      story.commands += 1;
      return action.run(story, real);
    },
    toString: () => action.name,
  };
}

/** One of them, whichever number was drawn. */
export function pick<T>(all: readonly T[], n: number): T {
  const chosen = all[n % all.length];
  if (chosen === undefined) throw new Error('there is nothing to choose from');
  return chosen;
}
