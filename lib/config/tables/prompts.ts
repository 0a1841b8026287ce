import { hidden, optional, withDefault } from '../definition.ts';
import { integer, secret } from '../kinds.ts';

/** SPEC §11. */
export const PROMPTS = {
  promptLogKey: hidden(
    optional(
      'NZGW_PROMPT_LOG_KEY',
      secret(32),
      'Secret under which requests and replies of keys with a prompt log are sealed. None are kept without it.',
    ),
  ),
  promptLogMaxBytes: withDefault(
    'NZGW_PROMPT_LOG_MAX_BYTES',
    // More would be sealed for more than 10 ms on the thread that streams.
    integer(1_024, 1_048_576),
    1_048_576,
    'Text of one entry of the prompt log; what is longer is cut, and marked.',
  ),
  promptLogBufferBytes: withDefault(
    'NZGW_PROMPT_LOG_BUFFER_BYTES',
    integer(1_048_576, 4_294_967_296),
    33_554_432,
    'Entries of one worker that run or wait for Postgres; beyond it they are dropped and counted.',
  ),
} as const;
