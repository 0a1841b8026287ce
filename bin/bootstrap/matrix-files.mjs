import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { belongsToMatrix, formatLine } from './matrix-plan.mjs';
import { ROOT } from './paths.mjs';

const CACHE = join(ROOT, 'node_modules', '.cache', 'nzgw-matrix');
const RESULTS = join(ROOT, 'test', 'matrix.tsv');

/** Every test file that has more rounds in the matrix. */
export function listMatrixFiles() {
  return readdirSync(join(ROOT, 'test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name.replaceAll('\\', '/')}`)
    .filter((path) => belongsToMatrix({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
    .sort();
}

/** Two empty places for what a slice tells: its counts of tests, and its counts of rounds. */
export function prepareTold(file) {
  mkdirSync(CACHE, { recursive: true });
  const told = { tests: `${placeOf(file)}.tests`, rounds: `${placeOf(file)}.rounds` };
  for (const place of Object.values(told)) rmSync(place, { force: true });
  return told;
}

export function readRoundCounts(place) {
  return readOr('', place).split('\n').filter(Boolean).map(Number);
}

/** Undefined where there is none, or what is there was cut off. */
export function readProgress(file) {
  try {
    return JSON.parse(readOr('', `${placeOf(file)}.json`));
  } catch {
    return undefined;
  }
}

export function writeProgress(file, progress) {
  const place = `${placeOf(file)}.json`;
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(`${place}.new`, JSON.stringify(progress));
  renameSync(`${place}.new`, place);
}

/** One line in test/matrix.tsv, once. */
export function writeResult(file, progress) {
  appendFileSync(RESULTS, formatLine(file, progress));
  writeProgress(file, { ...progress, written: true });
}

function placeOf(file) {
  return join(CACHE, file.replaceAll('/', '+'));
}

function readOr(otherwise, place) {
  try {
    return readFileSync(place, 'utf8');
  } catch {
    return otherwise;
  }
}
