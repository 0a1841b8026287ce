import { measureDistance } from '../../lib/config/edit-distance.ts';

/** The candidate that was probably meant, or undefined where none is near. */
export function suggest(typed: string, candidates: readonly string[]): string | undefined {
  const reach = Math.min(3, Math.max(1, Math.floor(typed.length / 3)));
  const [best] = candidates
    .map((candidate) => ({ candidate, steps: measureDistance(typed, candidate) }))
    .filter(({ steps }) => steps <= reach)
    .sort((a, b) => a.steps - b.steps);
  return best?.candidate;
}
