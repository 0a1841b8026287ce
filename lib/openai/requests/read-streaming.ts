import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import { readFlag, readObject } from '../../ollama/requests/read-values.ts';
import type { ReplyWishes } from '../reply-wishes.ts';

/** Fields of chat and completions that say how the reply is to come. */
export const STREAMING_FIELDS = ['stream', 'stream_options'] as const;

export type StreamingBody = Readonly<Partial<Record<(typeof STREAMING_FIELDS)[number], unknown>>>;

const STREAM_OPTIONS = knownFields('include_usage');

interface StreamOptions {
  readonly include_usage?: unknown;
}

/** `stream`, which is false by default, and `stream_options`. @throws GatewayError names the field */
export function readStreaming(body: StreamingBody): {
  readonly streamed: boolean;
  readonly wishes: ReplyWishes;
} {
  const streamed = readFlag(body.stream, '', 'stream') ?? false;
  const usage = readIncludeUsage(body.stream_options);
  return { streamed, wishes: { includeUsage: streamed && usage, encoding: 'float' } };
}

function readIncludeUsage(value: unknown): boolean {
  const options: StreamOptions | undefined = readObject(value, '', 'stream_options');
  if (options === undefined) return false;
  checkKeys(options, STREAM_OPTIONS, 'stream_options');
  return readFlag(options.include_usage, 'stream_options', 'include_usage') ?? false;
}
