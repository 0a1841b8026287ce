import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { startBuilt } from '../child.ts';
import { startGateway } from '../gateway.ts';
import type { PerfGateway } from '../gateway.ts';
import { Measurement } from '../measure.ts';
import { makeFakeOptions, SCENARIOS } from '../scenarios.ts';
import type { Server } from '../server.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
  },
});
const rounds = Number(values.rounds);
const durationMs = Number(values.seconds) * 1_000;
const connections = Number(values.connections);
const MOST = 2;

/** CPU time of a JSON request with both scripts, beside the same product whose ledger asks nobody. */
async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nzgw-json-'));
  await chmod(directory, 0o711);
  const load = startBuilt('perf/load-main.js');
  const upstream = startBuilt(
    'test/support/fake-ollama-main.js',
    JSON.stringify(makeFakeOptions()),
  );
  const { url } = z.object({ url: z.string() }).parse(await upstream.readJson());
  const started: PerfGateway[] = [];
  try {
    const open = async (name: string, hook?: string): Promise<PerfGateway> => {
      const plan = { directory: join(directory, name), upstream: url, workers: 2, hook };
      const gateway = await startGateway(plan);
      started.push(gateway);
      return gateway;
    };
    const withRedis = await open('with');
    const without = await open('without', 'perf/micro/without-redis.js');
    report(await measure(new Measurement(load), [withRedis, withoutAudit(without)]));
  } finally {
    for (const gateway of started) await gateway.stop();
    await upstream.stop();
    await load.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** It keeps nothing, so there are no rows to wait for. */
function withoutAudit(gateway: PerfGateway): Server {
  const { name, url, headers, pid, facts } = gateway;
  return { name, url, headers, pid, facts, stop: () => gateway.stop() };
}

type Pair = readonly [number[], number[]];

/** The first round only warms up; who is first changes. */
async function measure(
  measurement: Measurement,
  servers: readonly [Server, Server],
): Promise<Pair> {
  const [scenario] = SCENARIOS;
  if (!scenario) throw new Error('no scenario');
  const pair: Pair = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    for (const which of round % 2 ? [0, 1] : [1, 0]) {
      const server = servers[which];
      if (!server) continue;
      const slice = { scenario, connections, round, durationMs, warmUpMs: durationMs / 4 };
      const { cpuUs } = await measurement.take(server, slice);
      if (round > 0) pair[which]?.push(cpuUs ?? NaN);
    }
  }
  return pair;
}

function report([withRedis, without]: Pair): void {
  const [ours, bare] = [median(withRedis), median(without)];
  process.stdout.write(
    `JSON request, ${connections} connections, median of ${rounds} rounds: ${ours.toFixed(0)} µs of CPU ` +
      `with both scripts, ${bare.toFixed(0)} µs without Redis: ${(ours / bare).toFixed(2)} ×, at most ${MOST} ×\n`,
  );
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

await run();
