import { z } from 'zod';
import type { Child } from './child.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';
import { readCpu, subtractCpu, subtractLoosely } from './process-cpu.ts';
import type { Scenario } from './scenarios.ts';
import type { Server } from './server.ts';

const latencyShape = z.object({ p50: z.number(), p99: z.number() });
const resultShape: z.ZodType<LoadResult> = z.object({
  requests: z.number(),
  seconds: z.number(),
  latencyMs: latencyShape,
  firstByteMs: latencyShape,
  fault: z.string().nullable(),
});

/** One server under one scenario, once. */
export interface Sample {
  readonly server: string;
  readonly scenario: string;
  readonly connections: number;
  readonly round: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Of the server's processes; null for the direct call. */
  readonly cpuUs: number | null;
  /** Of Redis and Postgres beside it; null where there are none. */
  readonly storesUs: number | null;
  readonly latencyMs: LoadResult['latencyMs'];
  readonly firstByteMs: LoadResult['firstByteMs'];
}

export interface Slice {
  readonly scenario: Scenario;
  readonly connections: number;
  readonly round: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
}

/** Runs bursts of load and reads what they cost. */
export class Measurement {
  readonly #load: Child;
  readonly #answered = new Map<Server, number>();

  constructor(load: Child) {
    this.#load = load;
  }

  /**
   * One burst against one server; its CPU time is read when its bookkeeping has caught up.
   * @throws Error if any answer was not as expected, or a request has no audit row.
   */
  async take(server: Server, slice: Slice): Promise<Sample> {
    const { scenario, connections, round } = slice;
    const before = readServer(server);
    const result = await this.#apply(toPlan(server, slice));
    const answered = (this.#answered.get(server) ?? 0) + result.requests;
    this.#answered.set(server, answered);
    if (result.fault !== null) throw new Error(`${server.name}: ${result.fault}`);
    await server.settle?.(answered);
    const after = readServer(server);
    const each = (us: number): number => us / result.requests;
    return {
      server: server.name,
      scenario: scenario.name,
      connections,
      round,
      requests: result.requests,
      requestsPerSecond: result.requests / result.seconds,
      cpuUs: before.own && after.own ? each(subtractCpu(after.own, before.own)) : null,
      storesUs: server.stores ? each(sumStores(after.stores, before.stores)) : null,
      latencyMs: result.latencyMs,
      firstByteMs: result.firstByteMs,
    };
  }

  async #apply(plan: LoadPlan): Promise<LoadResult> {
    this.#load.send(plan);
    return resultShape.parse(await this.#load.readJson());
  }
}

type Reading = ReturnType<typeof readCpu>;

function readServer(server: Server): { own: Reading | undefined; stores: readonly Reading[] } {
  return {
    own: server.pid === undefined ? undefined : readCpu(server.pid),
    stores: Object.values(server.stores ?? {}).map(readCpu),
  };
}

function sumStores(after: readonly Reading[], before: readonly Reading[]): number {
  return after.reduce(
    (sum, reading, index) => sum + subtractLoosely(reading, before[index] ?? new Map()),
    0,
  );
}

function toPlan(server: Server, slice: Slice): LoadPlan {
  const { scenario, connections, durationMs, warmUpMs } = slice;
  const asked = server.translates === true ? scenario : (scenario.rivals ?? scenario);
  return {
    url: server.url + asked.path,
    headers: server.headers,
    body: asked.body,
    connections,
    durationMs,
    warmUpMs,
    lines: scenario.lines,
  };
}
