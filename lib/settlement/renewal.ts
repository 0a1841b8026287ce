import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../time/clock.ts';
import type { HeldRequests } from './held-requests.ts';
import type { SettlementRing } from './ring.ts';

export interface RenewalParts {
  readonly ledger: Pick<Ledger, 'renew' | 'rehold'>;
  readonly held: Pick<HeldRequests, 'list' | 'count'>;
  readonly ring: Pick<SettlementRing, 'hear' | 'hasAny'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly everyMs: number;
}

/** One shard's turn: never two at once. */
interface Turn {
  /** What its life is has been heard. */
  heard: boolean;
  running: boolean;
  /** Another is wanted as soon as this one is over. */
  again: boolean;
  timer: NodeJS.Timeout | undefined;
}

const TIMEOUT_MS = 2_000;
const AFTER_FAILURE_MS = 300;
const HOLDS_AT_ONCE = 100;

/**
 * Keeps this worker's holds from lapsing, tells how far each has come, and holds again what Redis has
 * lost (LEDGER §3). Runs for a shard while anything of it is held, waits or is kept.
 */
export class Renewal {
  readonly #parts: RenewalParts;
  readonly #turns = new Map<number, Turn>();
  #closed = false;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  /** There is something to renew in that shard; at once while its life has not been heard. */
  begin(shard: number): void {
    const turn = this.#open(shard);
    if (turn.running || turn.timer !== undefined) return;
    this.#schedule(shard, turn, turn.heard ? this.#parts.everyMs : 0);
  }

  /** Redis is back: what is held comes first. */
  renewNow(): void {
    for (const [shard, turn] of this.#turns) {
      if (turn.running) turn.again = true;
      else if (turn.timer !== undefined) void this.#run(shard, turn);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#turns.values()) clearTimeout(timer);
  }

  #open(shard: number): Turn {
    const turn = this.#turns.get(shard) ?? {
      heard: false,
      running: false,
      again: false,
      timer: undefined,
    };
    this.#turns.set(shard, turn);
    return turn;
  }

  #schedule(shard: number, turn: Turn, inMs: number): void {
    if (this.#closed) return;
    turn.timer = setTimeout(() => void this.#run(shard, turn), inMs).unref();
  }

  async #run(shard: number, turn: Turn): Promise<void> {
    clearTimeout(turn.timer);
    turn.timer = undefined;
    turn.running = true;
    const { clock, everyMs, held, ring } = this.#parts;
    const nextAtMs = clock.monotonicMs() + everyMs;
    const done = await this.#renew(shard);
    turn.running = false;
    turn.heard ||= done;
    const again = turn.again;
    turn.again = false;
    if (again && !this.#closed) await this.#run(shard, turn);
    else if (!done) this.#schedule(shard, turn, AFTER_FAILURE_MS);
    else if (held.count(shard) > 0 || ring.hasAny(shard)) {
      this.#schedule(shard, turn, Math.max(0, nextAtMs - clock.monotonicMs()));
    }
  }

  /** True if Redis has answered to all; what was not acknowledged the next turn asks again. */
  async #renew(shard: number): Promise<boolean> {
    const { ledger, held, ring, clock } = this.#parts;
    const running = held.list(shard);
    try {
      for (let at = 0; at === 0 || at < running.length; at += HOLDS_AT_ONCE) {
        const sentAtMs = clock.monotonicMs();
        const some = running.slice(at, at + HOLDS_AT_ONCE);
        const { lifeId, current, unknown } = await ledger.renew(shard, some, TIMEOUT_MS);
        ring.hear(shard, { sentAtMs, lifeId, current });
        // Settled meanwhile: then it is not lost, but over.
        const lost = held.list(shard, unknown);
        if (lost.length > 0) await ledger.rehold(shard, lost);
      }
      return true;
    } catch {
      return false;
    }
  }
}
