import type { Command } from './command.ts';

/**
 * What a health check starts every few seconds, and what only reads from a running gateway, is loaded
 * without the other commands and without the clients of the stores that they open.
 */
const ALONE: Readonly<Record<string, () => Promise<Command>>> = {
  status: async () => (await import('../commands/status.ts')).status,
  top: async () => (await import('../commands/top.ts')).top,
};

/** The commands that a line may mean: all, or the one that it begins with. */
export async function loadCommands(argv: readonly string[]): Promise<readonly Command[]> {
  const [first = ''] = argv;
  const load = Object.hasOwn(ALONE, first) ? ALONE[first] : undefined;
  return load ? [await load()] : (await import('./commands.ts')).COMMANDS;
}
