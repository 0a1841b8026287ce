import { measureDistance } from './edit-distance.ts';

const FARTHEST = 3;

/**
 * A warning for each `NZGW_*` name that is no setting, with the setting that was probably meant.
 * NZGW_TEST_* belongs to the tests.
 */
export function warnOfUnknownNames(
  names: readonly string[],
  settings: readonly string[],
): readonly string[] {
  const known = new Set(['NZGW_ENV_FILE', ...settings.flatMap((name) => [name, `${name}_FILE`])]);
  return names
    .filter((name) => name.startsWith('NZGW_') && !name.startsWith('NZGW_TEST_'))
    .filter((name) => !known.has(name))
    .map((name) => {
      const guess = findNearest(name, known);
      return `${name} is not a setting${guess === undefined ? '' : `; was ${guess} meant?`}`;
    });
}

function findNearest(name: string, known: ReadonlySet<string>): string | undefined {
  let nearest: string | undefined;
  let least = FARTHEST + 1;
  for (const candidate of known) {
    const distance = measureDistance(name, candidate);
    if (distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest;
}
