import { withDefault } from '../definition.ts';
import { integer } from '../kinds.ts';

export const KEYS = {
  argon2MemoryKib: withDefault(
    'NZGW_ARGON2_MEMORY_KIB',
    integer(8_192, 1_048_576),
    19_456,
    'Argon2id memory of a verification.',
  ),
  argon2Passes: withDefault('NZGW_ARGON2_PASSES', integer(1, 20), 2, 'Argon2id passes.'),
  argon2Lanes: withDefault('NZGW_ARGON2_LANES', integer(1, 16), 1, 'Argon2id parallelism.'),
  argon2Queue: withDefault(
    'NZGW_ARGON2_QUEUE',
    integer(1, 10_000),
    64,
    'Verifications that may wait in one worker.',
  ),
  verifiedKeySeconds: withDefault(
    'NZGW_VERIFIED_KEY_SECONDS',
    integer(1, 3_600),
    60,
    'How long a verification is remembered.',
  ),
  unknownKeySeconds: withDefault(
    'NZGW_UNKNOWN_KEY_SECONDS',
    integer(1, 600),
    10,
    'How long an unknown key id is remembered.',
  ),
  authFailuresPerMinute: withDefault(
    'NZGW_AUTH_FAILURES_PER_MINUTE',
    integer(1, 100_000),
    30,
    'Failed keys of one client address.',
  ),
  authFailuresBurst: withDefault(
    'NZGW_AUTH_FAILURES_BURST',
    integer(1, 100_000),
    60,
    'Failed keys of one client address at once.',
  ),
} as const;
