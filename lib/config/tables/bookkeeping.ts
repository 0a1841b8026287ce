import { lasting, withDefault } from '../definition.ts';
import { choice, integer } from '../kinds.ts';

export const BOOKKEEPING = {
  trustPollMs: lasting(
    withDefault(
      'NZGW_TRUST_POLL_MS',
      integer(50, 10_000),
      250,
      'How often the primary reads changes.',
    ),
  ),
  trustLeaseMs: lasting(
    withDefault(
      'NZGW_TRUST_LEASE_MS',
      integer(100, 60_000),
      750,
      'How long what it read is believed.',
    ),
  ),
  trustGraceSeconds: withDefault(
    'NZGW_TRUST_GRACE_SECONDS',
    integer(0, 3_600),
    30,
    'How long running requests go on after what was read is believed no more.',
  ),
  admitTimeoutMs: withDefault(
    'NZGW_ADMIT_TIMEOUT_MS',
    integer(50, 4_000),
    1_000,
    'How long Redis may take to decide.',
  ),
  readyAfterMs: lasting(
    withDefault(
      'NZGW_READY_AFTER_MS',
      integer(0, 600_000),
      12_000,
      'How long Redis must have answered again before anything is admitted, after it lost its data; two renewals and 2 s at least.',
    ),
  ),
  compareSeconds: lasting(
    withDefault(
      'NZGW_COMPARE_SECONDS',
      integer(1, 86_400),
      300,
      "How often Redis's budget counters are compared with the ledger.",
    ),
  ),
  leaseSeconds: withDefault(
    'NZGW_LEASE_SECONDS',
    integer(3, 600),
    30,
    'How long Redis holds tokens and slot of a request whose worker says nothing.',
  ),
  leaseRenewSeconds: withDefault(
    'NZGW_LEASE_RENEW_SECONDS',
    integer(1, 200),
    5,
    'How often a worker renews what its requests hold.',
  ),
  promptBaseTokens: withDefault(
    'NZGW_PROMPT_BASE_TOKENS',
    integer(0, 1_000_000),
    512,
    'Held for every prompt beside its text, for what a template adds.',
  ),
  imageTokens: withDefault(
    'NZGW_IMAGE_TOKENS',
    integer(1, 1_000_000),
    4_096,
    'Held for every image of a prompt.',
  ),
  leastOutputTokens: withDefault(
    'NZGW_LEAST_OUTPUT_TOKENS',
    integer(1, 10_000_000),
    64,
    'Tokens of a minute lower num_predict no further; below it a request is refused.',
  ),
  auditAddress: withDefault(
    'NZGW_AUDIT_ADDRESS',
    choice('full', 'prefix', 'none'),
    'prefix',
    'How much of the client address is kept.',
  ),
  auditStreamMax: withDefault(
    'NZGW_AUDIT_STREAM_MAX',
    integer(100, 10_000_000),
    100_000,
    'Entries that may wait for Postgres before admissions stop; above half of it no refusal is kept.',
  ),
  settlementRing: withDefault(
    'NZGW_SETTLEMENT_RING',
    integer(10, 1_000_000),
    10_000,
    'Settlements of one worker that may wait for Redis.',
  ),
  refusalRing: withDefault(
    'NZGW_REFUSAL_RING',
    integer(10, 1_000_000),
    1_000,
    'Refusals of one worker that may wait for Redis.',
  ),
  metricTenants: lasting(
    withDefault(
      'NZGW_METRIC_TENANTS',
      integer(0, 10_000),
      200,
      'Tenants with metric labels of their own.',
    ),
  ),
  metricModels: lasting(
    withDefault(
      'NZGW_METRIC_MODELS',
      integer(0, 10_000),
      100,
      'Models with metric labels of their own.',
    ),
  ),
} as const;
