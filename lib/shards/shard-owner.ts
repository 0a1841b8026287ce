import { readTimeMs } from '../ledger/read-time.ts';
import { openShardLedger } from '../ledger/shard-ledger.ts';
import type { ShardLedger } from '../ledger/shard-ledger.ts';
import { describeError } from '../log/logger.ts';
import { inTime } from '../time/in-time.ts';
import { makePause } from '../time/pause.ts';
import { askRedis, NoAnswerError } from './ask-redis.ts';
import { Ownership } from './ownership.ts';
import { openShardSession } from './shard-session.ts';
import type { ShardSession } from './shard-session.ts';
import type { ShardsParts } from './shards-parts.ts';

export interface ShardState {
  readonly shard: number;
  /** This process holds the shard's lock. */
  readonly owner: boolean;
  /** The shard admits, as this process saw last; false while that is not known. */
  readonly ready: boolean;
  /** Events that wait for Postgres, as its owner saw last; null for others. */
  readonly waiting: number | null;
  /** Monotonic milliseconds since which the oldest of them waits, whoever owns it; null where none does. */
  readonly oldestAtMs: number | null;
  /**
   * Monotonic milliseconds of Postgres's last answer to this shard's session, as owner or waiting
   * for the lock: never older than a second and a half while all is well. Null without a session.
   */
  readonly answeredAtMs: number | null;
}

const LOOK_MS = 200;
/** Between two tries for a lock that another gateway holds, and after a failure. */
const RETRY_MS = 500;

/** One shard of this process: waits for its lock, then does the owner's work until told to stop. */
export class ShardOwner {
  readonly #parts: ShardsParts;
  readonly #ledger: ShardLedger;
  readonly #pause = makePause();
  readonly #running: Promise<void>;
  #session: ShardSession | undefined;
  #ownership: Ownership | undefined;
  #readyElsewhere = false;
  #oldestAtMsElsewhere: number | null = null;
  #failing = false;
  #stopAtMs = Infinity;

  constructor(parts: ShardsParts, shard: number) {
    this.#parts = parts;
    this.#ledger = openShardLedger(parts.redis, shard, parts.scripts);
    this.#running = this.#run();
  }

  get state(): ShardState {
    const owned = this.#ownership;
    return {
      shard: this.#ledger.shard,
      owner: owned !== undefined,
      ready: owned?.ready ?? this.#readyElsewhere,
      waiting: owned?.waiting ?? null,
      oldestAtMs: owned ? owned.oldestAtMs : this.#oldestAtMsElsewhere,
      answeredAtMs: this.#session?.answeredAtMs ?? null,
    };
  }

  /** Looks now instead of at its time, if it is the owner. */
  wake(): void {
    if (this.#ownership !== undefined) this.#pause.wake();
  }

  /** Drains what is there, but for `withinMs` at most; then gives up the lock. Never rejects. */
  async stop(withinMs: number): Promise<void> {
    this.#stopAtMs = this.#parts.clock.monotonicMs() + withinMs;
    this.#pause.wake();
    await inTime(withinMs, this.#running, () => undefined);
    await this.#session?.end();
  }

  get #stopping(): boolean {
    return this.#stopAtMs !== Infinity;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#ownAndWork();
      } catch (error) {
        this.#noteFailure(error);
        await this.#rest(RETRY_MS);
      }
    }
  }

  async #ownAndWork(): Promise<void> {
    const { databaseUrl, clock, log } = this.#parts;
    const { shard } = this.#ledger;
    const session = (this.#session = await openShardSession(databaseUrl, shard, clock));
    try {
      while (!(await session.tryLock())) {
        await this.#lookAtOther(session);
        if (this.#stopping) return;
        await this.#rest(RETRY_MS);
      }
      log.info({ event: 'shard_owned', shard }, 'this gateway keeps the accounts of a shard');
      await this.#work((this.#ownership = new Ownership(this.#parts, this.#ledger, session)));
    } finally {
      this.#ownership = undefined;
      this.#readyElsewhere = false;
      this.#oldestAtMsElsewhere = null;
      this.#session = undefined;
      await session.end();
    }
  }

  /** Whether the shard admits, and what waits, is everybody's business; its owner is another gateway. */
  async #lookAtOther(session: ShardSession): Promise<void> {
    const { redis, clock } = this.#parts;
    try {
      const asked = Promise.all([
        this.#ledger.isReady(),
        this.#ledger.events.read(1),
        readTimeMs(redis),
      ]);
      const [ready, [oldest], nowMs] = await askRedis(asked, () => session.beat());
      this.#readyElsewhere = ready;
      // An id begins with Redis's time.
      const ageMs = oldest && Math.max(0, nowMs - Number.parseInt(oldest.streamId, 10));
      this.#oldestAtMsElsewhere = ageMs === undefined ? null : clock.monotonicMs() - ageMs;
      this.#failing = false;
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      this.#readyElsewhere = false;
      this.#noteFailure(error.cause);
    }
  }

  /** Returns when told to stop; rejects when the session is no longer to be trusted. */
  async #work(ownership: Ownership): Promise<void> {
    for (;;) {
      const stopping = this.#stopping;
      let isMore = false;
      try {
        isMore = await ownership.pass(stopping);
        this.#failing = false;
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
        ownership.distrust();
        this.#noteFailure(error.cause);
      }
      const isLate = this.#parts.clock.monotonicMs() >= this.#stopAtMs;
      if (stopping && (!isMore || isLate)) return;
      if (!isMore) await this.#rest(LOOK_MS);
    }
  }

  async #rest(ms: number): Promise<void> {
    if (!this.#stopping) await this.#pause.wait(ms);
  }

  #noteFailure(error: unknown): void {
    if (this.#failing || this.#stopping) return;
    this.#failing = true;
    const fields = { event: 'shard_failed', shard: this.#ledger.shard, ...describeError(error) };
    this.#parts.log.warn(fields, 'the accounts of a shard cannot be kept for now');
  }
}
