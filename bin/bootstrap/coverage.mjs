import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Report } from 'c8';
import { ROOT } from './paths.mjs';

/** Folders of which every line and every branch must have run (SPEC §16); later ones are added here. */
const WHOLE = ['lib/auth/', 'lib/access/', 'lib/admission/', 'lib/ledger/', 'lib/settlement/'];
const LEAST_LINES_PERCENT = 95;

/**
 * Merges what all processes of a run left in `directory`, those that ran the sources and those that
 * ran dist/ by their source maps, writes reports to coverage/, and returns what falls short.
 *
 * @returns {Promise<{ linesPercent: number, faults: string[] }>}
 */
export async function judgeCoverage(directory) {
  for (const name of readdirSync(directory)) keepOwnScripts(join(directory, name));
  const report = new Report({
    tempDirectory: directory,
    reportsDirectory: join(ROOT, 'coverage'),
    reporter: ['lcovonly', 'json-summary'],
    include: ['lib/**/*.ts'],
    exclude: listTypeOnlyFiles(),
    extension: ['.ts'],
    excludeAfterRemap: true,
    excludeNodeModules: true,
    resolve: '',
    all: true,
    src: [ROOT],
  });
  await report.run();
  const map = await report.getCoverageMapFromAllCoverageFiles();
  const linesPercent = map.getCoverageSummary().lines.pct;
  const faults = map.files().flatMap((file) => judgeFile(file, map.fileCoverageFor(file)));
  if (!(linesPercent >= LEAST_LINES_PERCENT)) {
    faults.push(`lib: ${linesPercent} % of the lines ran; ${LEAST_LINES_PERCENT} % are wanted`);
  }
  return { linesPercent, faults };
}

function judgeFile(file, coverage) {
  const path = relative(ROOT, file);
  if (!WHOLE.some((folder) => path.startsWith(folder))) return [];
  const lines = coverage.getUncoveredLines();
  const branches = Object.entries(coverage.b)
    .filter(([, hits]) => hits.includes(0))
    .map(([id]) => coverage.branchMap[id].loc.start.line);
  const places = [...new Set([...lines.map(Number), ...branches])].sort((a, b) => a - b);
  return places.length === 0 ? [] : [`${path}: not run at line ${showRanges(places)}`];
}

function showRanges(lines) {
  const ranges = [];
  for (const line of lines) {
    const last = ranges.at(-1);
    if (last?.to === line - 1) last.to = line;
    else ranges.push({ from: line, to: line });
  }
  return ranges.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(', ');
}

/** Files of nothing but types are built to nothing and never loaded: there is nothing to run. */
function listTypeOnlyFiles() {
  const folder = join(ROOT, 'dist', 'lib');
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .filter((name) => isEmptyModule(readFileSync(join(folder, name), 'utf8')))
    .map((name) => `lib/${name.replace(/\.js$/, '.ts')}`);
}

function isEmptyModule(code) {
  return /^(\s|export \{\};)*$/.test(code.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''));
}

/** A process notes every script that it loaded, those of packages too: only ours are kept. */
function keepOwnScripts(file) {
  const ours = [
    pathToFileURL(join(ROOT, 'lib/')).href,
    pathToFileURL(join(ROOT, 'dist/lib/')).href,
  ];
  const isOurs = (url) => ours.some((prefix) => url.startsWith(prefix));
  try {
    const { result, 'source-map-cache': maps = {} } = JSON.parse(readFileSync(file, 'utf8'));
    const kept = {
      result: result.filter(({ url }) => isOurs(url)),
      'source-map-cache': Object.fromEntries(Object.entries(maps).filter(([url]) => isOurs(url))),
    };
    writeFileSync(file, JSON.stringify(kept));
  } catch {
    // Cut off by a kill in the midst of writing.
    rmSync(file, { force: true });
  }
}
