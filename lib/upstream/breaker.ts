import type { Clock } from '../time/clock.ts';

export interface BreakerRules {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open the first time. */
  readonly openMs: number;
}

export type BreakerState = 'closed' | 'open' | 'half_open';

/** What a request has shown of its upstream. 'none': it ended for a reason that is not the upstream's. */
export type Verdict = 'success' | 'failure' | 'none';

/** One request that was let pass. The first verdict counts, later ones change nothing. */
export interface Pass {
  judge(verdict: Verdict): void;
}

/** The doubling ends here (SPEC §6). */
const MAX_OPEN_MS = 60_000;
/** While the probe is out nobody knows how long: a cold model may load. */
const PROBE_WAIT_MS = 1_000;

/**
 * Lets nothing pass to an upstream that failed several times in a row, then one request after the
 * other until one succeeds (SPEC §6). It has no timer: time is looked at when somebody asks.
 *
 * A verdict counts only in the period in which its request was let pass. What was on its way when the
 * breaker opened tells of the time before: a late success does not close it (a runner that cannot
 * start refuses new requests while older ones still get their tokens), a late failure does not
 * double it, and neither stands for the probe.
 */
export class Breaker {
  readonly #rules: BreakerRules;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #failures = 0;
  #openings = 0;
  /** How long this opening lasts; null: closed. */
  #openMs: number | null = null;
  #openUntilMs = 0;
  #isProbed = false;

  constructor(rules: BreakerRules, clock: Pick<Clock, 'monotonicMs'>) {
    this.#rules = rules;
    this.#clock = clock;
  }

  state(): BreakerState {
    if (this.#openMs === null) return 'closed';
    return this.#clock.monotonicMs() < this.#openUntilMs ? 'open' : 'half_open';
  }

  /** Until a request may pass; 0: one passes now. */
  waitMs(): number {
    if (this.#openMs === null) return 0;
    const leftMs = this.#openUntilMs - this.#clock.monotonicMs();
    if (leftMs > 0) return leftMs;
    return this.#isProbed ? PROBE_WAIT_MS : 0;
  }

  /** Null: nothing passes now. Every pass must be judged, or a probe would be out for ever. */
  enter(): Pass | null {
    if (this.waitMs() > 0) return null;
    this.#isProbed = this.#openMs !== null;
    const opening = this.#openings;
    let isJudged = false;
    return {
      judge: (verdict) => {
        if (isJudged) return;
        isJudged = true;
        if (opening === this.#openings) this.#judge(verdict);
      },
    };
  }

  #judge(verdict: Verdict): void {
    this.#isProbed = false;
    if (verdict === 'success') {
      this.#failures = 0;
      this.#openMs = null;
    } else if (verdict === 'failure') this.#fail();
  }

  #fail(): void {
    this.#failures += 1;
    if (this.#openMs !== null) this.#open(Math.min(2 * this.#openMs, MAX_OPEN_MS));
    else if (this.#failures >= this.#rules.failures) this.#open(this.#rules.openMs);
  }

  #open(openMs: number): void {
    this.#failures = 0;
    this.#openings += 1;
    this.#openMs = openMs;
    this.#openUntilMs = this.#clock.monotonicMs() + openMs;
  }
}
