import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPrivateRedis } from '../../bin/quickstart/private-redis.ts';
import { periodsAt } from '../../lib/ledger/counter.ts';
import type { LedgerSum } from '../../lib/ledger/counter.ts';
import type { Entry } from '../../lib/ledger/entry.ts';
import { openLedger } from '../../lib/ledger/ledger.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import { toSettleArguments } from '../../lib/ledger/settle-request.ts';
import { openShardLedger } from '../../lib/ledger/shard-ledger.ts';
import { openRedis } from '../../lib/store/redis.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { BARE_SETTLE } from './bare-commands.ts';
import { makeAdmitRequest, makeEntry, makeKeys } from './script-load.ts';
import type { KeyOfLoad } from './script-load.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    requests: { type: 'string', default: '4000' },
  },
});
const rounds = Number(values.rounds);
const requests = Number(values.requests);
const IN_FLIGHT = 32;
const TARGETS = { admit: 40, settle: 16 } as const;
const NO_OP = '#!lua\nreturn 1';

type Script = 'noop' | keyof typeof TARGETS | 'bare settle';
const ORDER: readonly Script[] = ['noop', 'admit', 'settle', 'bare settle'];

/** Of one call, µs. */
interface Cost {
  /** In the script, as Redis counts it (commandstats). */
  readonly script: number;
  /** CPU of the server, reading, writing and the AOF included. */
  readonly server: number;
}

/** Server time of the two scripts of a request beside one that does nothing (DESIGN §9), in one run. */
async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nzgw-scripts-'));
  const server = await startPrivateRedis({ directory, appendOnly: true });
  const redis = openRedis({
    url: server.url,
    connectionName: 'perf',
    commandTimeoutMs: 5_000,
  });
  try {
    if (redis.status !== 'ready') {
      await new Promise<void>((resolve) => {
        redis.once('ready', resolve);
      });
    }
    report(await measure(redis));
  } finally {
    redis.disconnect();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(redis: Redis): Promise<Record<Script, Cost[]>> {
  const keys = makeKeys(100, 10);
  const ledger = openLedger(redis, {
    shards: 1,
    clock: systemClock,
    incarnation: randomUUID(),
    leaseMs: 30_000,
  });
  await makeReady(redis, keys);
  const noop = String(await redis.script('LOAD', NO_OP));
  const bare = String(await redis.script('LOAD', BARE_SETTLE));
  const times: Record<Script, Cost[]> = { noop: [], admit: [], settle: [], 'bare settle': [] };
  // The first round only warms up.
  for (let round = 0; round <= rounds; round += 1) {
    const ofNoop = await time(redis, () => inFlight(() => redis.evalsha(noop, 0)));
    const admitted = await timeAdmissions(redis, ledger, keys);
    const settle = await timeEach(redis, admitted.entries, (entry) => ledger.settle(entry));
    const { entries } = await timeAdmissions(redis, ledger, keys);
    const ofBare = await timeEach(redis, entries, (entry) =>
      redis.evalsha(bare, 10, ...toSettleArguments(entry, 0)),
    );
    await redis.xtrim('nz1:{s00}:events', 'MAXLEN', 0);
    if (round === 0) continue;
    times.noop.push(ofNoop);
    times.admit.push(admitted.cost);
    times.settle.push(settle);
    times['bare settle'].push(ofBare);
  }
  return times;
}

async function timeEach(
  redis: Redis,
  entries: readonly Entry[],
  act: (entry: Entry) => Promise<unknown>,
): Promise<Cost> {
  const left = entries.values();
  return time(redis, () =>
    inFlight(async () => {
      const { value } = left.next();
      if (value) await act(value);
    }),
  );
}

async function timeAdmissions(
  redis: Redis,
  ledger: Ledger,
  keys: readonly KeyOfLoad[],
): Promise<{ cost: Cost; entries: readonly Entry[] }> {
  const entries: Entry[] = [];
  let n = 0;
  const cost = await time(redis, () =>
    inFlight(async () => {
      n += 1;
      const key = keys[n % keys.length];
      if (!key) return;
      const reply = await ledger.admit(makeAdmitRequest(key));
      if (reply.kind !== 'ok') throw new Error(`not admitted: ${reply.kind}`);
      entries.push(makeEntry(reply.hold));
    }),
  );
  return { cost, entries };
}

async function time(redis: Redis, act: () => Promise<void>): Promise<Cost> {
  await redis.config('RESETSTAT');
  const before = await readCpuUs(redis);
  await act();
  const server = ((await readCpuUs(redis)) - before) / requests;
  const stats = await redis.info('commandstats');
  const [, calls, us] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(stats) ?? [];
  return { script: Number(us) / Number(calls), server };
}

async function readCpuUs(redis: Redis): Promise<number> {
  const text = await redis.info('cpu');
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1] ?? NaN);
  return (read('used_cpu_sys') + read('used_cpu_user')) * 1e6;
}

async function inFlight(act: () => Promise<unknown>): Promise<void> {
  let left = requests;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left > 0) {
        left -= 1;
        await act();
      }
    }),
  );
}

async function makeReady(redis: Redis, keys: readonly KeyOfLoad[]): Promise<void> {
  const shard = openShardLedger(redis, 0);
  const owner = { claim: randomUUID(), lifeId: randomUUID() };
  await shard.own(owner.claim);
  await shard.begin(owner.claim, owner.lifeId);
  await shard.ready(owner.claim, owner.lifeId);
  const { day, month } = periodsAt(systemClock.wallMs());
  const sums = keys.flatMap(({ keyId, tenantId }): LedgerSum[] => [
    { scope: `k:${keyId}`, period: day, tokens: 0 },
    { scope: `t:${tenantId}`, period: month, tokens: 0 },
  ]);
  await shard.fill(owner, sums, 'fill');
}

function report(times: Record<Script, Cost[]>): void {
  const of = (script: Script, what: keyof Cost): number =>
    median(times[script].map((c) => c[what]));
  const lines = ORDER.map((script) => {
    const cells = (['server', 'script'] as const).flatMap((what) => [
      of(script, what).toFixed(1),
      (of(script, what) / of('noop', what)).toFixed(1),
    ]);
    return `| ${[script, ...cells, script === 'admit' || script === 'settle' ? TARGETS[script] : '–'].join(' | ')} |`;
  });
  process.stdout.write(
    [
      `### Redis's time of a script call, µs (median of ${rounds} rounds of ${requests}, ${IN_FLIGHT} in flight, AOF on)`,
      '',
      '| script | CPU of the server | ÷ no-op | in the script | ÷ no-op | at most |',
      '|---|--:|--:|--:|--:|--:|',
      ...lines,
      '',
    ].join('\n'),
  );
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

await run();
