import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { readLiveHolds } from '../../lib/inspection/live-holds.ts';
import type { LiveHold } from '../../lib/inspection/live-holds.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { startFaultProxy } from './fault-proxy.ts';
import type { FaultProxy } from './fault-proxy.ts';
import type { HeldStep } from './fault-steps.ts';
import { isRunning } from './is-running.ts';
import { ASK_OUTPUT_TOKENS, ask, STREAM_MODEL } from './kill-requests.ts';
import { launchGateway } from './launch-gateway.ts';
import type { Gateway } from './launch-gateway.ts';
import type { MadeKey, Stack } from './stack.ts';
import { startStack } from './stack.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';
import type { TemporaryDirectory } from './temporary-directory.ts';
import { connectRedis } from './connect-redis.ts';
import { until } from './until.ts';
import { listWorkers } from './worker-client.ts';

export interface KillOptions {
  /** 1 unless told otherwise, so that it is known who serves. */
  readonly workers?: number;
  readonly leaseSeconds?: number;
  readonly renewSeconds?: number;
}

/** A key with a budget of tokens, some of which its first request has spent. */
export interface Caller extends MadeKey {
  readonly budgetTokens: number;
}

/** What the stack's Ollama answers to what is no stream: dear, so that a budget is soon spent. */
const ASKED = { tokens: ASK_OUTPUT_TOKENS, promptTokens: 500 };
/** 100 tokens a second, as many as are asked for. */
const STREAMED = { tokens: 10_000, promptTokens: 20, paceMs: 10 };

const PERIODS = ['day', 'month', 'total'] as const;
/** Workers that die often are replaced ever later. */
const REPLACED_WITHIN_MS = 10_000;
/** A worker without its primary is gone after 4.5 s. */
const ORPHANS_WITHIN_MS = 7_000;

/** A product whose processes may be killed, with a fault proxy before each store. */
export async function openKillWorld(options: KillOptions = {}): Promise<KillWorld> {
  const { workers = 1, leaseSeconds = 3, renewSeconds = 1 } = options;
  const runtime = await makeTemporaryDirectory('run');
  const proxies: FaultProxy[] = [];
  const settings = {
    workers,
    env: {
      NZGW_LEASE_SECONDS: String(leaseSeconds),
      NZGW_LEASE_RENEW_SECONDS: String(renewSeconds),
      RUNTIME_DIRECTORY: runtime.path,
    },
  };
  const stack = await startStack({
    ...settings,
    ollama: { always: ASKED, byModel: { [STREAM_MODEL]: STREAMED } },
    through: async ({ databaseUrl, redisUrl }) => {
      proxies.push(await startFaultProxy(redisUrl), await startFaultProxy(databaseUrl));
      return { redisUrl: proxies[0]?.url ?? '', databaseUrl: proxies[1]?.url ?? '' };
    },
  });
  const [redis, postgres] = proxies;
  if (!redis || !postgres) throw new Error('there are no proxies');
  const looking = await connectRedis(stack.redis.url);
  const world = new KillWorld({ stack, redis, postgres, looking, runtime, settings });
  await world.measure();
  return world;
}

/** Of the arguments of lua/exit-2.lua. */
function readIncarnation(args: readonly string[]): string {
  return args[2] ?? '';
}

interface WorldParts {
  readonly stack: Stack;
  readonly redis: FaultProxy;
  readonly postgres: FaultProxy;
  readonly looking: Redis;
  readonly runtime: TemporaryDirectory;
  readonly settings: { readonly workers: number; readonly env: Readonly<Record<string, string>> };
}

export class KillWorld {
  readonly stack: Stack;
  /** Before Redis, for gateways alone. */
  readonly redis: FaultProxy;
  /** Before Postgres, for gateways alone. */
  readonly postgres: FaultProxy;
  readonly #parts: WorldParts;
  #gateway: Gateway;
  #holdTokens = 0;
  /** Incarnations of workers that were seen to exit; a primary ends the holds of each twice. */
  readonly #exited = new Set<string>();

  constructor(parts: WorldParts) {
    this.#parts = parts;
    this.stack = parts.stack;
    this.redis = parts.redis;
    this.postgres = parts.postgres;
    this.#gateway = parts.stack.gateway;
  }

  /** The one that was started last. */
  get gateway(): Gateway {
    return this.#gateway;
  }

  /** Where its workers listen; a lone worker's replacement gets a port of its own. */
  get url(): string {
    const line = this.#gateway.events('listening').at(-1);
    return `http://127.0.0.1:${String(line?.['port'])}`;
  }

  /** What one `ask` holds. */
  get holdTokens(): number {
    return this.#holdTokens;
  }

  /** The worker that listened last. */
  get workerPid(): number {
    return listWorkers(this.#gateway).at(-1) ?? 0;
  }

  /**
   * A caller whose budget, of one period or another, is worth so many requests at once. It has made
   * one: its counters are filled, and its key is verified.
   */
  async makeCaller(random: () => number, worth = 8): Promise<Caller> {
    const caller = await this.makeNewCaller(random, worth);
    const { status } = await ask(this.url, caller);
    if (status !== 200) throw new Error(`the first request was answered ${status}`);
    return caller;
  }

  /** The same, but nobody has heard of it yet. */
  async makeNewCaller(random: () => number, worth = 8): Promise<Caller> {
    const budgetTokens = worth * this.#holdTokens;
    const budgetPeriod = PERIODS[Math.floor(random() * PERIODS.length)] ?? 'total';
    const limits = { ...NO_LIMITS, budgetTokens, budgetPeriod };
    // The same twice: the tenant's counters must be as right as the key's.
    const tenantId = await this.stack.makeTenant({ limits });
    return { ...(await this.stack.makeKey(tenantId, { limits })), budgetTokens };
  }

  async measure(): Promise<void> {
    const budgetTokens = 1_000_000;
    const limits = { ...NO_LIMITS, budgetTokens, budgetPeriod: 'total' as const };
    const caller = await this.stack.makeKey(await this.stack.makeTenant(), { limits });
    const { remainingTokens } = await ask(this.url, caller);
    this.#holdTokens = budgetTokens - remainingTokens;
  }

  /** The live holds in Redis now, by id. */
  async readHolds(): Promise<ReadonlyMap<string, LiveHold>> {
    const { holds } = await readLiveHolds(this.#parts.looking, [0]);
    return new Map(holds.map((hold) => [hold.id, hold]));
  }

  /** Stays where a primary is about to end what a worker held of which that was not heard before. */
  holdExit(): Promise<HeldStep> {
    const filter = (args: readonly string[]): boolean => !this.#exited.has(readIncarnation(args));
    const hit = this.redis.hold({ command: 'exit', when: 'before', filter }).then((held) => {
      this.#exited.add(readIncarnation(held.args));
      return held;
    });
    // Whoever does not look at it any longer has failed by itself.
    hit.catch(() => undefined);
    return hit;
  }

  killWorker(): void {
    process.kill(this.workerPid, 'SIGKILL');
  }

  killPrimary(): void {
    this.#gateway.kill('SIGKILL');
  }

  /** Whatever ran on this host: nobody is left who could tell how it ended. */
  killAll(): void {
    const pids = listWorkers(this.#gateway).filter(isRunning);
    this.killPrimary();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  }

  /** Waits until another worker listens than the one that was killed. */
  async untilReplaced(killedPid: number): Promise<void> {
    await until(() => this.workerPid !== killedPid, {
      withinMs: REPLACED_WITHIN_MS,
      what: 'another worker to listen',
    });
  }

  /** Waits until not a process of the killed primary is left. */
  async untilGone(): Promise<void> {
    const gateway = this.#gateway;
    await until(() => !gateway.isRunning(), {
      withinMs: ORPHANS_WITHIN_MS,
      what: 'the workers of a killed primary to end',
    });
  }

  /** Starts another gateway on the same stores, through the same proxies. */
  async startNext(): Promise<void> {
    this.#gateway = await launchGateway({
      redisUrl: this.redis.url,
      databaseUrl: this.postgres.url,
      ollamaUrl: this.stack.ollama.url,
      ...this.#parts.settings,
      env: { NZGW_ARGON2_MEMORY_KIB: '8192', NZGW_ARGON2_PASSES: '1', ...this.#parts.settings.env },
    });
  }

  async stop(): Promise<void> {
    const { looking, redis, postgres, runtime, stack } = this.#parts;
    looking.disconnect();
    if (this.#gateway.isRunning()) await this.#gateway.stop();
    await stack.stop();
    await Promise.all([redis.close(), postgres.close()]);
    await runtime.remove();
  }
}
