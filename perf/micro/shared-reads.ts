import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeKeyDirectory } from '../../lib/auth/key-directory.ts';
import type { KeyDirectory } from '../../lib/auth/key-directory.ts';
import { requireTrust } from '../../lib/auth/standing.ts';
import { makeVerifiedKeys } from '../../lib/auth/verified-keys.ts';
import type { VerifiedKeys } from '../../lib/auth/verified-keys.ts';
import { openShared } from '../../lib/shared/shared-reader.ts';
import type { SharedReader } from '../../lib/shared/shared-reader.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { makeSharedDirectory, startWriter } from '../../test/support/shared-processes.ts';
import type { LineChild } from '../../test/support/shared-processes.ts';
import { makeId } from '../../test/support/shared-rows.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    requests: { type: 'string', default: '50000' },
  },
});
const rounds = Number(values.rounds);
const requests = Number(values.requests);
const KEYS = [10, 1_000, 100_000] as const;
/** µs of a request; HMAC apart (DESIGN §9). */
const TARGET = 8;
/** As many as a worker remembers; more are verified by Redis anyway. */
const MAX_HOT = 10_000;
const REQUESTS_A_TURN = 16;
const DIGEST = Buffer.alloc(32, 7);

interface World {
  readonly keys: number;
  readonly shared: SharedReader;
  readonly directory: KeyDirectory;
  readonly verified: VerifiedKeys;
  readonly ids: readonly string[];
}

/** What a request asks of shared memory and of the worker's map before its secret is believed. */
async function run(): Promise<void> {
  const lines: string[] = [];
  for (const keys of KEYS) lines.push(await measureAll(keys));
  process.stdout.write(
    [
      `### CPU of a known key's check, µs (median of ${rounds} rounds of ${requests} requests)`,
      '',
      '| keys | snapshot and trust | and key and tenant | and verified map | at most | the first after a change |',
      '|--:|--:|--:|--:|--:|--:|',
      ...lines,
      '',
    ].join('\n'),
  );
}

async function measureAll(keys: number): Promise<string> {
  const folder = makeSharedDirectory();
  const writer = await startWriter(folder.path);
  try {
    await writer.ask(`load ${keys} 1`);
    await writer.ask(`trust ${systemClock.monotonicMs() + 3_600_000}`);
    const world = openWorld(writer.path, keys);
    const trust = await measure(world, () => {
      requireTrust({ shared: world.shared, clock: systemClock });
    });
    const rows = await measure(world, (id) => {
      requireTrust({ shared: world.shared, clock: systemClock });
      world.directory.read(id);
    });
    const all = await measure(world, (id) => {
      check(world, id);
    });
    const first = await measureFirst(world, writer);
    await world.shared.close();
    const cells = [trust, rows, all, TARGET, first].map((us) => us.toFixed(1));
    return `| ${[keys, ...cells].join(' | ')} |`;
  } finally {
    await writer.kill();
    folder.remove();
  }
}

function openWorld(path: string, keys: number): World {
  const shared = openShared(path);
  const clock = systemClock;
  const directory = makeKeyDirectory({
    shared,
    clock,
    find: () => Promise.resolve(undefined),
    unknownKeySeconds: 1,
    believedMs: 0,
  });
  const verified = makeVerifiedKeys(clock);
  const hot = Math.min(keys, MAX_HOT);
  // Spread over the whole table, and asked in no order that it is stored in.
  const ids = Array.from({ length: hot }, (_, n) => makeId(((n * 7_919) % hot) * (keys / hot)));
  for (const id of ids) {
    const principal = directory.read(id);
    if (principal) verified.add(principal, DIGEST, 3_600_000);
  }
  return { keys, shared, directory, verified, ids };
}

function check({ shared, directory, verified }: World, id: string): void {
  requireTrust({ shared, clock: systemClock });
  const principal = directory.read(id);
  if (!principal || !verified.readLeftMs(principal, DIGEST)) throw new Error(`${id} is not known`);
}

/** The first round only warms up. */
async function measure({ ids }: World, act: (id: string) => void): Promise<number> {
  const costs: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const before = process.cpuUsage();
    for (let n = 0; n < requests; n += 1) {
      act(ids[n % ids.length] ?? '');
      if (n % REQUESTS_A_TURN === 0) await turn();
    }
    if (round > 0) costs.push(toUs(before) / requests);
  }
  return median(costs);
}

/** Each key once after every change of another key: no row is remembered. */
async function measureFirst(world: World, writer: LineChild): Promise<number> {
  const costs: number[] = [];
  const batch = Math.min(world.ids.length, 256);
  for (let change = 0; change < 40 * rounds; change += 1) {
    await writer.ask(`add ${world.keys} 1 ${change + 2}`);
    const from = Math.floor(Math.random() * (world.ids.length - batch + 1));
    const before = process.cpuUsage();
    for (const id of world.ids.slice(from, from + batch)) check(world, id);
    costs.push(toUs(before) / batch);
  }
  return median(costs);
}

function toUs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

await run();
