import type { EventStream } from '../ledger/event-stream.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';
import { inTime } from '../time/in-time.ts';
import { openShardSession } from './shard-session.ts';
import type { ShardSession } from './shard-session.ts';
import { storeEvents } from './store-events.ts';

interface ShardDrainParts {
  readonly databaseUrl: string;
  readonly stream: EventStream;
  readonly shard: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ShardState {
  readonly shard: number;
  /** This process holds the shard's lock. */
  readonly owner: boolean;
  /**
   * Monotonic milliseconds of Postgres's last answer to this shard's session, as owner or waiting
   * for the lock: never older than a second and a half while all is well. Null without a session.
   */
  readonly answeredAtMs: number | null;
  /** Events that this process brought into Postgres, rejected ones included. */
  readonly drained: number;
  readonly rejected: number;
}

const BATCH = 500;
const LOOK_MS = 200;
/** Between two tries for a lock that another gateway holds, and after a failure. */
const RETRY_MS = 500;
/** The lock's session must not fall silent, and its loss must be seen. */
const BEAT_MS = 500;

/** One shard's events on their way to Postgres, while this process is the shard's owner. */
export class ShardDrain {
  readonly #parts: ShardDrainParts;
  readonly #running: Promise<void>;
  #session: ShardSession | undefined;
  #owner = false;
  #answeredAtMs: number | null = null;
  #drained = 0;
  #rejected = 0;
  #failing = false;
  #stopAtMs: number | undefined;
  #wake: () => void = () => undefined;

  constructor(parts: ShardDrainParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  get state(): ShardState {
    return {
      shard: this.#parts.shard,
      owner: this.#owner,
      answeredAtMs: this.#answeredAtMs,
      drained: this.#drained,
      rejected: this.#rejected,
    };
  }

  /** Drains what is there, but for `withinMs` at most; then gives up the lock. Never rejects. */
  async stop(withinMs: number): Promise<void> {
    this.#stopAtMs = this.#parts.clock.monotonicMs() + withinMs;
    this.#wake();
    await inTime(withinMs, this.#running, () => undefined);
    await this.#session?.end();
  }

  get #stopping(): boolean {
    return this.#stopAtMs !== undefined;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#ownAndDrain();
      } catch (error) {
        this.#noteFailure(error);
        await this.#rest(RETRY_MS);
      }
    }
  }

  async #ownAndDrain(): Promise<void> {
    const { databaseUrl, shard, log } = this.#parts;
    const session = (this.#session = await openShardSession(databaseUrl, shard));
    try {
      while (!(await session.tryLock())) {
        this.#noteAnswer();
        if (this.#stopping) return;
        await this.#rest(RETRY_MS);
      }
      this.#noteAnswer();
      this.#owner = true;
      log.info({ event: 'shard_owned', shard }, 'this gateway moves the audit entries of a shard');
      await this.#drain(session.client);
    } finally {
      this.#owner = false;
      this.#answeredAtMs = null;
      await session.end();
    }
  }

  /** Returns when told to stop; rejects when the session is no longer to be trusted. */
  async #drain(client: PostgresClient): Promise<void> {
    for (;;) {
      const moved = await this.#moveBatch(client);
      if (this.#stopping && (moved < BATCH || this.#isLate())) return;
      if (moved === BATCH) continue;
      if (this.#parts.clock.monotonicMs() - (this.#answeredAtMs ?? 0) >= BEAT_MS) {
        await client.query('select 1');
        this.#noteAnswer();
      }
      await this.#rest(LOOK_MS);
    }
  }

  /** How many events left the stream; 0 also while Redis is away. */
  async #moveBatch(client: PostgresClient): Promise<number> {
    const { stream, shard, log } = this.#parts;
    const events = await stream.read(BATCH).catch((error: unknown) => {
      this.#noteFailure(error);
      return null;
    });
    if (events === null) return 0;
    this.#failing = false;
    if (events.length === 0) return 0;

    const rejections = await storeEvents(client, shard, events);
    this.#noteAnswer();
    this.#drained += events.length;
    this.#rejected += rejections.length;
    for (const { event, sqlState } of rejections) {
      const fields = {
        event: 'event_rejected',
        shard,
        stream_id: event.streamId,
        sqlstate: sqlState,
      };
      log.error(fields, 'an audit entry was rejected and put aside');
    }

    // What cannot be removed comes again, and is known by its id and time.
    const removed = stream.remove(events.map(({ streamId }) => streamId));
    return removed.then(
      () => events.length,
      () => 0,
    );
  }

  #isLate(): boolean {
    return this.#parts.clock.monotonicMs() >= (this.#stopAtMs ?? Infinity);
  }

  #noteAnswer(): void {
    this.#answeredAtMs = this.#parts.clock.monotonicMs();
  }

  #noteFailure(error: unknown): void {
    if (this.#failing || this.#stopping) return;
    this.#failing = true;
    const { log, shard } = this.#parts;
    log.warn(
      { event: 'drain_failed', shard, ...describeError(error) },
      'audit entries cannot be moved from Redis to Postgres',
    );
  }

  async #rest(ms: number): Promise<void> {
    if (this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
