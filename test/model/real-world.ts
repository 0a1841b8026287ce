import { storeEvents } from '../../lib/audit/store-events.ts';
import { KEYS } from '../../lib/ledger/keys.ts';
import { openLedger } from '../../lib/ledger/ledger.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import type { Script } from '../../lib/ledger/scripts.ts';
import { openShardLedger } from '../../lib/ledger/shard-ledger.ts';
import type { ShardLedger } from '../../lib/ledger/shard-ledger.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { moveTime } from '../support/movable-time.ts';
import { connectRedis } from '../support/connect-redis.ts';
import { flushAll } from '../support/every-node.ts';
import { LEASE_MS } from './model-admit.ts';
import type { Op } from './ops.ts';
import type { ModelStore } from './model-store.ts';

export const WORKERS = 3;
export const OWNERS = 2;
/** A worker is killed at most so often in a run. */
export const GENERATIONS = 4;
/** Longer than the product's, so that a slow machine fails no test. */
export const TIMEOUT_MS = 4_000;

/** The real thing: a Redis, a Postgres, and a connection for each worker and owner. */
export class RealWorld {
  readonly redis: Redis;
  readonly client: PostgresClient;
  /** By the clocks of the workers' hosts, each as far behind as its worker was stopped. */
  trueMs = 0;
  readonly stoppedMs = new Array<number>(WORKERS).fill(0);
  readonly #connections: readonly Redis[];
  readonly #scripts: readonly Script[];
  readonly #owners: readonly ShardLedger[];
  /** By incarnation; an open ledger listens to its connection for good. */
  readonly #opened = new Map<string, Ledger>();
  readonly #workers: Ledger[] = [];
  #stored = true;

  static async open(
    url: string,
    client: PostgresClient,
    scripts: readonly Script[],
  ): Promise<RealWorld> {
    const connecting = Array.from({ length: 1 + WORKERS + OWNERS }, () => connectRedis(url));
    return new RealWorld(await Promise.all(connecting), client, scripts);
  }

  private constructor(
    [redis, ...connections]: readonly Redis[],
    client: PostgresClient,
    scripts: readonly Script[],
  ) {
    if (redis === undefined) throw new Error('no connection');
    this.redis = redis;
    this.client = client;
    this.#scripts = scripts;
    this.#connections = connections;
    this.#owners = connections
      .slice(WORKERS)
      .map((connection) => openShardLedger(connection, 0, scripts));
  }

  close(): void {
    for (const one of [this.redis, ...this.#connections]) one.disconnect();
  }

  /** An empty Redis and Postgres, and workers that know nothing but the time. */
  async reset(nowMs: number): Promise<void> {
    this.trueMs = nowMs;
    this.stoppedMs.fill(0);
    await flushAll(this.redis);
    await this.setTime(nowMs);
    for (let worker = 0; worker < WORKERS; worker += 1) await this.startWorker(worker, 0);
    if (!this.#stored) return;
    this.#stored = false;
    const tables = ['gateway.audit_log', 'gateway.token_ledger', 'gateway_meta.rejected_events'];
    await this.client.query(tables.map((table) => `delete from ${table}`).join('; '));
  }

  /** A worker, or the one that takes its place: of the generation after the last that was killed. */
  async startWorker(worker: number, generation: number): Promise<void> {
    const incarnation = nameWorker(worker, generation);
    const opened = this.#opened.get(incarnation) ?? this.#openWorker(worker, incarnation);
    this.#opened.set(incarnation, opened);
    this.#workers[worker] = opened;
    await opened.renew(0, [], TIMEOUT_MS);
  }

  #openWorker(worker: number, incarnation: string): Ledger {
    return openLedger(at(this.#connections, worker), {
      shards: 1,
      clock: {
        wallMs: () => this.trueMs,
        monotonicMs: () => this.trueMs - at(this.stoppedMs, worker),
      },
      incarnation,
      leaseMs: LEASE_MS,
      scripts: this.#scripts,
    });
  }

  setTime(nowMs: number): Promise<void> {
    return moveTime(this.redis, KEYS.life(0), nowMs);
  }

  /** Does it, with what the model answers too as its answer. */
  async send(op: Op): Promise<unknown> {
    if ('owner' in op) return sendAsOwner(at(this.#owners, op.owner), op);
    const worker = at(this.#workers, op.worker);
    switch (op.kind) {
      case 'admit':
        return worker.admit(op.request);
      case 'settle':
        return worker.settle(op.entry);
      case 'cancel':
        return worker.cancel(op.cancellation);
      case 'renew':
        return worker.renew(0, op.running, TIMEOUT_MS);
      case 'rehold':
        return worker.rehold(0, op.running);
      case 'note':
        return worker.note(op.entry);
      case 'peek':
        return worker.peek(op.request, TIMEOUT_MS);
    }
  }

  /** Moves the oldest events to Postgres; unless `remove`, as if the owner ended right after the commit. */
  async drain(
    owner: number,
    { count, remove }: { readonly count: number; readonly remove: boolean },
  ): Promise<number> {
    const { events } = at(this.#owners, owner);
    const batch = await events.read(count);
    this.#stored = true;
    const rejections = await storeEvents(this.client, 0, batch);
    if (rejections.length > 0) throw new Error(`${rejections.length} events were rejected`);
    if (remove) await events.remove(batch.map(({ streamId }) => streamId));
    return batch.length;
  }

  /** What Postgres has, in the form of the model's. */
  async readStore(): Promise<ModelStore> {
    const rows = await this.client.query<{
      id: string;
      outcome: string;
      tokens: number;
      prompt: number;
      completion: number;
      key: string;
      tenant: string;
      at: number;
    }>(`select id, outcome, charged_tokens as tokens, prompt_tokens as prompt,
          completion_tokens as completion, key_id as key, tenant_id as tenant,
          (extract(epoch from admitted_at) * 1000)::bigint as at
        from gateway.audit_log`);
    const sums = await this.client.query<{ place: string; tokens: number }>(
      `select tenant_id || '|' || key_id || '|' || day as place, sum(charged_tokens)::bigint as tokens
       from gateway.token_ledger group by 1`,
    );
    return {
      rows: new Map(rows.rows.map(({ id, ...row }) => [id, row])),
      ledger: new Map(sums.rows.map(({ place, tokens }) => [place, tokens])),
    };
  }
}

/** What a worker's life is called. */
export function nameWorker(worker: number, generation: number): string {
  return `worker-${worker}-${generation}`;
}

type OwnerOp = Extract<Op, { readonly owner: number }>;

async function sendAsOwner(ledger: ShardLedger, op: OwnerOp): Promise<unknown> {
  switch (op.kind) {
    case 'exit':
      return ledger.reapExit(op.inc, op.most);
    case 'own':
      return ledger.own(op.claim);
    case 'tick': {
      const tick = await ledger.tick(op.claim);
      return tick === 'owner' ? tick : { ...tick, fills: [...tick.fills].sort() };
    }
    case 'begin':
      return ledger.begin(op.claim, op.lifeId);
    case 'ready':
      return ledger.ready(op.claim, op.lifeId);
    case 'reap':
      return ledger.reap(op.claim, op.most);
    case 'fill':
      return ledger.fill(op, op.sums, op.mode);
  }
}

function at<T>(all: readonly T[], place: number): T {
  const found = all[place];
  if (found === undefined) throw new Error(`nobody has the number ${place}`);
  return found;
}
