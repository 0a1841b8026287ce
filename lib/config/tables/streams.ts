import { withDefault } from '../definition.ts';
import { integer } from '../kinds.ts';

const MIB = 1_048_576;

export const STREAMS = {
  connectTimeoutSeconds: withDefault(
    'NZGW_CONNECT_TIMEOUT_SECONDS',
    integer(1, 60),
    2,
    'Connecting to an upstream.',
  ),
  firstByteTimeoutSeconds: withDefault(
    'NZGW_FIRST_BYTE_TIMEOUT_SECONDS',
    integer(1, 3_600),
    290,
    'Upstream to its first byte; a cold model loads.',
  ),
  chunkTimeoutSeconds: withDefault(
    'NZGW_CHUNK_TIMEOUT_SECONDS',
    integer(1, 3_600),
    60,
    'Between two chunks of an upstream.',
  ),
  requestTimeoutSeconds: withDefault(
    'NZGW_REQUEST_TIMEOUT_SECONDS',
    integer(1, 86_400),
    1_800,
    'An upstream request in all.',
  ),
  breakerFailures: withDefault(
    'NZGW_BREAKER_FAILURES',
    integer(1, 1_000),
    5,
    'Failures of an upstream in a row after which a worker leaves it alone.',
  ),
  breakerSeconds: withDefault(
    'NZGW_BREAKER_SECONDS',
    integer(1, 60),
    5,
    'How long it is left alone at first; doubled, to a minute at most, while it goes on failing.',
  ),
  readerTimeoutSeconds: withDefault(
    'NZGW_READER_TIMEOUT_SECONDS',
    integer(1, 3_600),
    30,
    'A client that takes nothing for so long is cut off.',
  ),
  eventsFirstSeconds: withDefault(
    'NZGW_EVENTS_FIRST_SECONDS',
    integer(1, 3_600),
    20,
    'An OpenAI stream without a token for so long begins with a comment: the client hears that it waits.',
  ),
  eventsEverySeconds: withDefault(
    'NZGW_EVENTS_EVERY_SECONDS',
    integer(1, 3_600),
    15,
    'Between two such comments, while nothing else is sent.',
  ),
  maxLineBytes: withDefault(
    'NZGW_MAX_LINE_BYTES',
    integer(1_024, 64 * MIB),
    8 * MIB,
    'Longest line of an upstream.',
  ),
  maxAssembledBytes: withDefault(
    'NZGW_MAX_ASSEMBLED_BYTES',
    integer(1_024, 256 * MIB),
    16 * MIB,
    'Largest reply that is put together for a client without a stream.',
  ),
  maxReplyBytes: withDefault(
    'NZGW_MAX_REPLY_BYTES',
    integer(1_024, 4_096 * MIB),
    64 * MIB,
    'Largest reply of an upstream.',
  ),
} as const;
