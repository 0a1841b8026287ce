import { isDone } from '../../ollama/replies/parse-line.ts';
import { toFinishReason } from './finish-reason.ts';
import type { StreamOptions, StreamState } from './frames.ts';
import { toLegacyLogprobs } from './legacy-logprobs.ts';
import { readPlainGenerate } from './plain-line.ts';
import { readDoneReason, readText } from './read-line.ts';
import { StreamFrames } from './stream-frames.ts';
import type { ChunkForm } from './stream-frames.ts';

/** One chunk a line, the last one with its reason. Thinking has no place in a completion. */
const FORM: ChunkForm = {
  object: 'text_completion',
  plain: ['{"text":"', '","index":0,"logprobs":null,"finish_reason":null}'],
  readPlain: readPlainGenerate,
  toChoices(line, { sent }) {
    const { logprobs, nextOffset } = toLegacyLogprobs(line, sent);
    const choice = {
      text: readText(line['response']),
      index: 0,
      logprobs,
      finish_reason: isDone(line) ? toFinishReason(readDoneReason(line), false) : null,
    };
    return { choices: [choice], sent: nextOffset };
  },
};

/** Native lines of /api/generate as chunks of /v1/completions. */
export class CompletionFrames extends StreamFrames {
  /** `state`: where another one left the stream. */
  constructor(options: StreamOptions, state?: StreamState) {
    super(FORM, options, state);
  }
}
