import { withDefault } from '../definition.ts';
import { integer } from '../kinds.ts';

const MIB = 1_048_576;

export const REQUESTS = {
  headersTimeoutSeconds: withDefault(
    'NZGW_HEADERS_TIMEOUT_SECONDS',
    integer(1, 600),
    10,
    'Time to send the request head.',
  ),
  bodyTimeoutSeconds: withDefault(
    'NZGW_BODY_TIMEOUT_SECONDS',
    integer(1, 3_600),
    60,
    'Time to send the whole request.',
  ),
  keepAliveSeconds: withDefault(
    'NZGW_KEEP_ALIVE_SECONDS',
    integer(1, 3_600),
    75,
    'Idle time of a kept connection.',
  ),
  maxBodyBytes: withDefault(
    'NZGW_MAX_BODY_BYTES',
    integer(1_024, 256 * MIB),
    10 * MIB,
    'Largest request body.',
  ),
  bodyMemoryBytes: withDefault(
    'NZGW_BODY_MEMORY_BYTES',
    integer(MIB, 4_096 * MIB),
    128 * MIB,
    'Request bodies that one worker holds until they are sent on; a tenant may have a quarter. Replies that must be held whole have as much again.',
  ),
  bodyThreadBytes: withDefault(
    'NZGW_BODY_THREAD_BYTES',
    integer(1_024, 64 * MIB),
    262_144,
    'Above it a body is parsed in the thread pool.',
  ),
} as const;
