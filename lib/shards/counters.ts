import { endOf, periodsAt, readCounter } from '../ledger/counter.ts';
import type { Counter } from '../ledger/counter.ts';
import type { ShardLedger } from '../ledger/shard-ledger.ts';
import type { Drift, Tick } from '../ledger/shard-replies.ts';
import { askRedis } from './ask-redis.ts';
import { readSums } from './read-sums.ts';
import { sweepComing, sweepPresent } from './scope-sweep.ts';
import type { ScopeSweep } from './scope-sweep.ts';
import type { ShardSession } from './shard-session.ts';
import type { ShardsParts } from './shards-parts.ts';

/** Counters that are read from the ledger, and written, at once. */
const BATCH = 200;
/** From so long before midnight counters of the coming day are filled. */
const AHEAD_MS = 5 * 60_000;
/** Counters that one line of the log names. */
const MOST_NAMED = 10;

interface Owner {
  readonly claim: string;
  readonly lifeId: string;
}

/** Keeps the budget counters of an owned shard what ledger, stream and live holds add up to. */
export class Counters {
  readonly #parts: ShardsParts;
  readonly #ledger: ShardLedger;
  readonly #session: ShardSession;
  #lifeId: string | null = null;
  #sweep: ScopeSweep | undefined;
  #comparedAtMs = 0;
  #comparedDay = '';
  #aheadOfDay = '';

  constructor(parts: ShardsParts, ledger: ShardLedger, session: ShardSession) {
    this.#parts = parts;
    this.#ledger = ledger;
    this.#session = session;
  }

  /**
   * Fills what is asked for and goes on with what is to be compared; the stream must have been
   * drained just before, under the same claim. Rejects as `Ownership.pass` does.
   */
  async keep(owner: Owner, tick: Tick): Promise<'done' | 'more' | 'refused'> {
    if (owner.lifeId !== this.#lifeId) this.#beginLife(owner.lifeId, tick.nowMs);
    const wanted = tick.fills.map(readCounter).filter((counter) => counter !== undefined);
    for (let n = 0; n < wanted.length; n += BATCH) {
      if (!(await this.#write(owner, wanted.slice(n, n + BATCH), 'fill'))) return 'refused';
    }

    const sweep = (this.#sweep ??= this.#chooseSweep(tick.nowMs));
    if (sweep === undefined) return 'done';
    let done: 'done' | 'more' | 'refused' = 'refused';
    try {
      done = await this.#goOn(owner, sweep);
    } finally {
      if (done === 'done') this.#sweep = undefined;
      else if (done === 'refused') this.#beginAgain();
    }
    return done;
  }

  async #goOn(owner: Owner, sweep: ScopeSweep): Promise<'done' | 'more' | 'refused'> {
    const part = await this.#ask(sweep.next(BATCH));
    if (part === undefined) return 'done';
    return (await this.#write(owner, part, sweep.mode)) ? 'more' : 'refused';
  }

  /** A part of a sweep may be lost with an answer that nobody heard: all of it is due again. */
  #beginAgain(): void {
    this.#sweep = undefined;
    this.#comparedAtMs = -Infinity;
    this.#aheadOfDay = '';
  }

  /** Counters of another life do not exist: there is nothing to compare yet. */
  #beginLife(lifeId: string, nowMs: number): void {
    this.#lifeId = lifeId;
    this.#sweep = undefined;
    this.#comparedAtMs = this.#parts.clock.monotonicMs();
    this.#comparedDay = periodsAt(nowMs).day;
    this.#aheadOfDay = '';
  }

  #chooseSweep(nowMs: number): ScopeSweep | undefined {
    const { clock, compareMs } = this.#parts;
    const { day } = periodsAt(nowMs);
    const midnightMs = endOf('day', nowMs) ?? Infinity;
    if (midnightMs - nowMs <= AHEAD_MS && this.#aheadOfDay !== day) {
      this.#aheadOfDay = day;
      return sweepComing(this.#ledger, nowMs);
    }
    if (day === this.#comparedDay && clock.monotonicMs() - this.#comparedAtMs < compareMs) {
      return undefined;
    }
    this.#comparedDay = day;
    this.#comparedAtMs = clock.monotonicMs();
    return sweepPresent(this.#ledger, nowMs);
  }

  /** False if the claim or the life is another's. The ledger is read on the lock's connection. */
  async #write(
    owner: Owner,
    counters: readonly Counter[],
    mode: ScopeSweep['mode'],
  ): Promise<boolean> {
    if (counters.length === 0) return true;
    const sums = await readSums(this.#session.client, counters);
    const drifts = await this.#ask(this.#ledger.fill(owner, sums, mode));
    if (typeof drifts === 'string') return false;
    if (drifts.length > 0) this.#noteDrifts(drifts);
    return true;
  }

  #noteDrifts(drifts: readonly Drift[]): void {
    const { counts, log } = this.#parts;
    for (const { spentTokens, heldTokens } of drifts) {
      if (spentTokens !== 0) counts.drifted('spent', spentTokens > 0 ? 'high' : 'low');
      if (heldTokens !== 0) counts.drifted('held', heldTokens > 0 ? 'high' : 'low');
    }
    const fields = {
      event: 'budget_drift',
      shard: this.#ledger.shard,
      counters: drifts.length,
      spent_tokens: drifts.reduce((sum, { spentTokens }) => sum + spentTokens, 0),
      held_tokens: drifts.reduce((sum, { heldTokens }) => sum + heldTokens, 0),
      names: drifts
        .slice(0, MOST_NAMED)
        .map(({ scope, period }) => `${scope}|${period}`)
        .join(' '),
    };
    log.warn(fields, 'budget counters were wrong and have been set right');
  }

  #ask<T>(asked: Promise<T>): Promise<T> {
    return askRedis(asked, () => this.#session.beat());
  }
}
