import { withDefault } from '../definition.ts';
import { choice, integer } from '../kinds.ts';

export const BOOKKEEPING = {
  trustPollMs: withDefault(
    'NZGW_TRUST_POLL_MS',
    integer(50, 10_000),
    250,
    'How often the primary reads changes.',
  ),
  trustLeaseMs: withDefault(
    'NZGW_TRUST_LEASE_MS',
    integer(100, 60_000),
    750,
    'How long what it read is believed.',
  ),
  admitTimeoutMs: withDefault(
    'NZGW_ADMIT_TIMEOUT_MS',
    integer(50, 4_000),
    1_000,
    'How long Redis may take to decide.',
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
    'Entries that may wait for Postgres before admissions stop.',
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
  metricTenants: withDefault(
    'NZGW_METRIC_TENANTS',
    integer(0, 10_000),
    200,
    'Tenants with metric labels of their own.',
  ),
  metricModels: withDefault(
    'NZGW_METRIC_MODELS',
    integer(0, 10_000),
    100,
    'Models with metric labels of their own.',
  ),
} as const;
