import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, ROOT } from './paths.mjs';
import { CALM, SHARED, WHOLE } from './scheduler.mjs';

/**
 * One thing that `npm test` runs, as a process group of its own.
 *
 * after    names of jobs that must have passed before
 * counts   it is a mocha run, whose tests are counted
 * needs    what it needs of the machine, for its tests have deadlines: SHARED, CALM or WHOLE
 * environment  what it has beside ours: tests behind the build may run the built program
 *
 * @typedef {{ name: string, script: string, args: string[], after: string[], counts: boolean, needs: number, environment: Record<string, string> }} Job
 */

/**
 * The jobs of a run, what others wait for first. With `grep`: the tests of that name and what they
 * need; with `fast`: what needs no build.
 *
 * @returns {Job[]}
 */
export function planJobs({ grep, fast }) {
  const checks = [
    check('build', join(ROOT, 'bin/bootstrap/build.mjs'), []),
    check('lint', join(BIN, 'eslint'), ['.', '--max-warnings=0']),
    check('format', join(BIN, 'prettier'), ['--check', '--log-level=warn', '.']),
    check('licences', join(ROOT, 'bin/bootstrap/licences.mjs'), []),
    check('secrets', join(ROOT, 'bin/bootstrap/secrets.mjs'), []),
    check('types', join(BIN, 'tsc'), ['--noEmit', '-p', 'tsconfig.json']),
  ];
  const quick = tests('unit', ['unit', 'architecture'], { grep });
  if (fast) return [checks.at(-1), quick].filter(hasFiles);
  return [
    ...(grep === undefined ? checks : checks.slice(0, 1)),
    quick,
    tests('integration', ['integration'], { grep, but: CLI }),
    ...split(3, tests('e2e', ['e2e'], { grep, after: ['build'] })),
    tests('cli', [CLI], { grep, after: ['build'] }),
    tests('security', ['security'], { grep, after: ['build'] }),
    tests('model', ['model'], { grep }),
    onCluster({ grep }),
    ...split(4, tests('calm', DEEP, { grep, after: ['build'], needs: CALM })),
    tests('serial', DEEP, { grep, after: ['build'], needs: WHOLE }),
  ].filter(hasFiles);
}

function check(name, script, args) {
  return { name, script, args, after: [], counts: false, needs: SHARED, environment: {} };
}

function tests(name, folders, { grep, but, after = [], needs = SHARED }) {
  const files = folders
    .flatMap(listTests)
    .filter((path) => needOf(path) === needs && !isWithin(path, but));
  const filter = grep === undefined ? [] : ['--grep', grep];
  const args = [...filter, ...files];
  const environment = after.includes('build') ? { NZGW_TEST_BUILT: '1' } : {};
  return { name, script: join(BIN, 'mocha'), args, after, counts: true, needs, environment };
}

/** Some jobs of one, so that all lanes have work to the end: many of these tests mostly wait. */
function split(count, job) {
  const files = job.args.filter(isTest);
  const rest = job.args.filter((argument) => !isTest(argument));
  return Array.from({ length: count }, (_, part) => ({
    ...job,
    name: `${job.name}-${part + 1}`,
    args: [...rest, ...files.filter((_, index) => index % count === part)],
  }));
}

/** The same files as in `integration`, with a Redis Cluster of three nodes for every Redis. */
function onCluster({ grep }) {
  const filter = grep === undefined ? [] : ['--grep', grep];
  return {
    ...check('cluster', join(BIN, 'mocha'), []),
    args: [...filter, ...ON_CLUSTER],
    counts: true,
    environment: { REDIS_TOPOLOGY: 'cluster' },
  };
}

/** Quick ones, where a cluster is most unlike one server: connections, the clock, what comes first. */
const ON_CLUSTER = [
  'test/integration/cluster/wait-for-redis.test.ts',
  'test/integration/ledger/ledger.test.ts',
  'test/integration/settlement/settlements.test.ts',
];

const DEEP = ['e2e', 'security', 'integration'];
/** Half of what integration tests take: each starts the program many times. */
const CLI = 'integration/cli';

function isWithin(path, folder) {
  return folder !== undefined && path.startsWith(`test/${folder}/`);
}

function listTests(folder) {
  let names;
  try {
    names = readdirSync(join(ROOT, 'test', folder), { recursive: true });
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${folder}/${name}`)
    .sort();
}

function needOf(path) {
  if (path.endsWith('.serial.test.ts')) return WHOLE;
  return path.endsWith('.calm.test.ts') ? CALM : SHARED;
}

function hasFiles(job) {
  return !job.counts || job.args.some(isTest);
}

function isTest(argument) {
  return argument.endsWith('.test.ts');
}
