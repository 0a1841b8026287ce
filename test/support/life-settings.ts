/** How long a loss of Redis's data may keep a gateway from admitting, and what it waits before. */
interface LifeTimes {
  readonly readyAfterMs: number;
  /** The promise of SPEC §5 for the defaults; for less waiting as much less. */
  readonly readyWithinMs: number;
  readonly env: Readonly<Record<string, string>>;
}

const DEFAULTS: LifeTimes = { readyAfterMs: 12_000, readyWithinMs: 15_000, env: {} };

const SHORT: LifeTimes = {
  readyAfterMs: 4_000,
  readyWithinMs: 7_000,
  env: {
    NZGW_READY_AFTER_MS: '4000',
    NZGW_LEASE_RENEW_SECONDS: '1',
    NZGW_LEASE_SECONDS: '6',
  },
};

/** Short in every `npm test`; the defaults in the matrix (NZGW_TEST_FULL=1). */
export const LIFE_TIMES: LifeTimes = process.env['NZGW_TEST_FULL'] === '1' ? DEFAULTS : SHORT;

/** Who was proved once stays so for a whole run: a caller that is known is not proved by Redis again. */
export const LONG_PROOF = { NZGW_VERIFIED_KEY_SECONDS: '3600' };
