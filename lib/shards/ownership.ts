import { randomUUID } from 'node:crypto';
import { storeEvents } from '../audit/store-events.ts';
import type { Rejection } from '../audit/store-events.ts';
import type { ShardLedger } from '../ledger/shard-ledger.ts';
import type { Tick } from '../ledger/shard-replies.ts';
import { askRedis } from './ask-redis.ts';
import { Counters } from './counters.ts';
import type { ShardSession } from './shard-session.ts';
import type { ShardsParts } from './shards-parts.ts';

const BATCH = 500;
const REAP_MS = 1_000;
const REAP_BATCH = 100;
/** So much of a gap between two answers counts as time in which Redis answered. */
const MOST_COUNTED_MS = 1_000;

/**
 * The work of a shard's owner (LEDGER §3), one step after another, while it holds the lock. Every
 * claim is Redis's alone to forget or to give to another: whatever is left unanswered is sent under a
 * claim that is then given up, so that it changes nothing if it arrives late after all.
 */
export class Ownership {
  readonly #parts: ShardsParts;
  readonly #ledger: ShardLedger;
  readonly #session: ShardSession;
  readonly #counters: Counters;
  #claim: string | null = null;
  #lifeId: string | null = null;
  #ready = false;
  #waiting: number | null = null;
  #oldestAtMs: number | null = null;
  /** How long every tick of this life was answered. */
  #answeredForMs = 0;
  #tickedAtMs: number | null = null;
  #reapedAtMs = -Infinity;

  constructor(parts: ShardsParts, ledger: ShardLedger, session: ShardSession) {
    this.#parts = parts;
    this.#ledger = ledger;
    this.#session = session;
    this.#counters = new Counters(parts, ledger, session);
  }

  get ready(): boolean {
    return this.#ready;
  }

  get waiting(): number | null {
    return this.#waiting;
  }

  /** Monotonic milliseconds of the oldest event that Postgres does not have; null without any. */
  get oldestAtMs(): number | null {
    return this.#oldestAtMs;
  }

  /** Redis did not answer: what was asked may still come true, unless its claim is void by then. */
  distrust(): void {
    this.#claim = null;
    this.#ready = false;
    this.#tickedAtMs = null;
    this.#answeredForMs = 0;
  }

  /**
   * Does once what is to be done; true if there is more to do at once. The last ones, before the lock
   * is given up, only drain. Rejects with NoAnswerError for Redis, else as Postgres does: then the
   * session is lost.
   */
  async pass(isLast = false): Promise<boolean> {
    await this.#session.beat();
    const claim = (this.#claim ??= await this.#own());
    const tick = await this.#ask(this.#ledger.tick(claim));
    if (tick === 'owner') return this.#refused();
    if (tick.lifeId === null || !tick.current) return this.#begin(claim);
    this.#noteTick(tick);

    const moved = await this.#drain(tick.nowMs);
    if (isLast) return moved === BATCH;
    if (!tick.ready) return (await this.#becomeReady(claim, tick.lifeId)) || moved === BATCH;
    if (!(await this.#reap(claim))) return this.#refused();
    if (moved === BATCH) return true;
    const owner = { claim, lifeId: tick.lifeId };
    const done = await this.#counters.keep(owner, tick);
    return done === 'refused' ? this.#refused() : done === 'more';
  }

  /** A claim counts only once Redis has said so; each try has one of its own. */
  async #own(): Promise<string> {
    const claim = randomUUID();
    await this.#ask(this.#ledger.own(claim));
    return claim;
  }

  async #begin(claim: string): Promise<boolean> {
    const lifeId = randomUUID();
    this.distrust();
    if ((await this.#ask(this.#ledger.begin(claim, lifeId))) === 'owner') return false;
    this.#claim = claim;
    const { log } = this.#parts;
    const fields = { event: 'life_begun', shard: this.#ledger.shard };
    log.info(fields, 'Redis is new or started again: its accounts are made anew');
    return true;
  }

  #noteTick(tick: Tick): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (tick.lifeId !== this.#lifeId) this.#answeredForMs = 0;
    else if (this.#tickedAtMs !== null) {
      this.#answeredForMs += Math.min(nowMs - this.#tickedAtMs, MOST_COUNTED_MS);
    }
    this.#lifeId = tick.lifeId;
    this.#tickedAtMs = nowMs;
    this.#ready = tick.ready;
    this.#waiting = tick.waiting;
  }

  /** True if the shard admits from now on. */
  async #becomeReady(claim: string, lifeId: string): Promise<boolean> {
    if (this.#answeredForMs < this.#parts.readyAfterMs && !(await this.#nobodyHolds()))
      return false;
    if ((await this.#ask(this.#ledger.ready(claim, lifeId))) !== 'ok') return false;
    this.#ready = true;
    this.#parts.log.info({ event: 'shard_ready', shard: this.#ledger.shard }, 'a shard admits');
    return true;
  }

  /** No worker anywhere has a stream that it would have to hold again. */
  async #nobodyHolds(): Promise<boolean> {
    const { gateway } = this.#parts;
    const session = gateway.readSession();
    if (session === null || gateway.hasAdmitted()) return false;
    return this.#session.isAlone(session);
  }

  /** How many events left the stream. */
  async #drain(nowMs: number): Promise<number> {
    const { shard, events: stream } = this.#ledger;
    const { counts, clock } = this.#parts;
    const askedAtMs = clock.monotonicMs();
    const events = await this.#ask(stream.read(BATCH));
    const [oldest] = events;
    // An id begins with Redis's time.
    const ageMs = oldest === undefined ? 0 : nowMs - Number.parseInt(oldest.streamId, 10);
    this.#oldestAtMs = oldest === undefined ? null : askedAtMs - Math.max(0, ageMs);
    if (oldest === undefined) return 0;

    const rejections = await storeEvents(this.#session.client, shard, events);
    counts.drained(events.length);
    counts.rejected(rejections.length);
    this.#tellRejections(rejections);
    // What cannot be removed comes again, and is known by its id and time.
    await this.#ask(stream.remove(events.map(({ streamId }) => streamId)));
    if (events.length < BATCH) this.#oldestAtMs = null;
    return events.length;
  }

  #tellRejections(rejections: readonly Rejection[]): void {
    const { shard } = this.#ledger;
    for (const { event, sqlState } of rejections) {
      const about = { shard, stream_id: event.streamId, sqlstate: sqlState };
      this.#parts.log.error(
        { event: 'event_rejected', ...about },
        'an audit entry was rejected and put aside',
      );
    }
  }

  /** False if the claim or the life is another's. */
  async #reap(claim: string): Promise<boolean> {
    const { clock, counts } = this.#parts;
    if (clock.monotonicMs() - this.#reapedAtMs < REAP_MS) return true;
    this.#reapedAtMs = clock.monotonicMs();
    for (;;) {
      const reaped = await this.#ask(this.#ledger.reap(claim, REAP_BATCH));
      if (typeof reaped !== 'number') return false;
      counts.reaped('lapsed', reaped);
      if (reaped < REAP_BATCH) return true;
    }
  }

  /** The lock is still ours, or the session's beat had failed: the next pass makes a new claim. */
  #refused(): false {
    this.distrust();
    return false;
  }

  #ask<T>(asked: Promise<T>): Promise<T> {
    return askRedis(asked, () => this.#session.beat());
  }
}
