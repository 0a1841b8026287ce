import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ROOT } from '../lib/root.ts';
import { startBuilt } from './child.ts';
import { Measurement } from './measure.ts';
import type { Sample, Slice } from './measure.ts';
import { renderReport } from './report.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Server } from './server.ts';
import { startServers } from './servers.ts';
import type { Servers } from './servers.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    /** How long each server is warmed up with each work before the rounds. */
    warm: { type: 'string', default: '10' },
    workers: { type: 'string', default: '2' },
    /** Writes perf/results/<date>-<commit>.json. */
    save: { type: 'boolean', default: false },
    /** Prints nothing but the tables and settings. */
    markdown: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const durationMs = Number(values.seconds) * 1_000;
const warmUpMs = Number(values.warm) * 1_000;
const workers = Number(values.workers);

/** Measures ours against its rivals, interleaved, and prints medians (SPEC §17, DESIGN §9). */
async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nzgw-perf-'));
  // Postgres runs as another user where we are root, and must be able to pass.
  await chmod(directory, 0o711);
  const load = startBuilt('perf/load-main.js');
  try {
    const started = await startServers({ directory, workers });
    try {
      const samples = await measure(started, new Measurement(load));
      const facts = listFacts(started);
      process.stdout.write(
        `${renderReport(samples)}\n\n${facts.map((f) => `- ${f}`).join('\n')}\n`,
      );
      if (values.save) await save(samples, facts);
    } finally {
      await started.stop();
    }
  } finally {
    await load.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The first round only warms everything up and is thrown away: a JIT has hot code after 10,000 requests. */
async function measure({ servers }: Servers, measurement: Measurement): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const { server, slice } of planSlices(servers)) {
    const sample = await measurement.take(server, slice);
    if (slice.round > 0) samples.push(sample);
    tell(sample);
  }
  return samples;
}

/** Round by round; nobody is always first, and nobody always follows the same. */
function planSlices(servers: readonly Server[]): readonly { server: Server; slice: Slice }[] {
  const works = SCENARIOS.flatMap((scenario) =>
    scenario.connections.map((connections) => ({ scenario, connections })),
  );
  return Array.from({ length: rounds + 1 }, (_, round) =>
    works.flatMap((work) => {
      const first = round % servers.length;
      const order = [...servers.slice(first), ...servers.slice(0, first)];
      const isWarmingUp = round === 0 && work.connections > 1;
      const lastsMs = isWarmingUp ? warmUpMs : durationMs;
      const slice = { ...work, round, durationMs: lastsMs, warmUpMs: lastsMs / 4 };
      return order
        .filter(({ pid }) => pid !== undefined || work.connections === 1)
        .map((server) => ({ server, slice }));
    }),
  ).flat();
}

function tell(sample: Sample): void {
  if (values.markdown) return;
  const { round, server, scenario, connections, cpuUs, requestsPerSecond } = sample;
  const cpu = cpuUs === null ? '' : `${cpuUs.toFixed(0)} µs CPU a request, `;
  process.stderr.write(
    `round ${round}  ${scenario}, ${connections} connections  ${server}: ${cpu}${requestsPerSecond.toFixed(0)}/s\n`,
  );
}

function listFacts({ servers, missing }: Servers): readonly string[] {
  const [processor] = cpus();
  return [
    `commit ${readCommit()}, ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds of ${durationMs / 1_000} s a server, interleaved, after one of ${warmUpMs / 1_000} s a server and work that is thrown away`,
    `${availableParallelism()} cores (${processor?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}; upstream and load run on the same cores`,
    ...servers.map(({ name, facts }) => `${name}: ${facts}`),
    ...missing,
  ];
}

async function save(samples: readonly Sample[], facts: readonly string[]): Promise<void> {
  const folder = new URL('perf/results/', ROOT);
  await mkdir(folder, { recursive: true });
  const name = `${new Date().toISOString().slice(0, 10)}-${readCommit()}.json`;
  await writeFile(new URL(name, folder), `${JSON.stringify({ facts, samples }, null, 2)}\n`);
  process.stderr.write(`wrote perf/results/${name}\n`);
}

function readCommit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, {
      cwd: fileURLToPath(ROOT),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return git('rev-parse', '--short', 'HEAD') + (changed ? '-changed' : '');
  } catch {
    return 'unknown';
  }
}

await run();
