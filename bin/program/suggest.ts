/** The candidate that was probably meant, or undefined where none is near. */
export function suggest(typed: string, candidates: readonly string[]): string | undefined {
  const reach = Math.min(3, Math.max(1, Math.floor(typed.length / 3)));
  const [best] = candidates
    .map((candidate) => ({ candidate, steps: countEdits(typed, candidate) }))
    .filter(({ steps }) => steps <= reach)
    .sort((a, b) => a.steps - b.steps);
  return best?.candidate;
}

/** Levenshtein's distance. Words of a command line are short: the plain table will do. */
function countEdits(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > 3) return Infinity;
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      line.push(Math.min(replaced, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    above = line;
  }
  return above[to.length] ?? Infinity;
}
