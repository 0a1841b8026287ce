import type { ReplyLine } from '../../ollama/replies/parse-line.ts';
import { toLogprobs } from './logprobs.ts';
import type { TokenLogprob } from './logprobs.ts';
import { readText } from './read-line.ts';

/** The form that OpenAI's completions have: four lists side by side. */
export interface LegacyLogprobs {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly number[];
  readonly top_logprobs: readonly Readonly<Record<string, number>>[];
  /** Characters (code points) of all tokens before. */
  readonly text_offset: readonly number[];
}

export interface PlacedLogprobs {
  /** Null: the line has none. */
  readonly logprobs: LegacyLogprobs | null;
  /** Offset of the next token. */
  readonly nextOffset: number;
}

/**
 * Logprobs of one line of /api/generate, whose first token is at `offset`. Those of thinking are
 * dropped as it is: a completion has no place for them.
 */
export function toLegacyLogprobs(line: ReplyLine, offset: number): PlacedLogprobs {
  const thinksOnly = readText(line['response']) === '' && readText(line['thinking']) !== '';
  const entries = thinksOnly ? [] : toLogprobs(line['logprobs']);
  if (entries.length === 0) return { logprobs: null, nextOffset: offset };

  let nextOffset = offset;
  const offsets = entries.map(({ token }) => {
    const at = nextOffset;
    nextOffset += Array.from(token).length;
    return at;
  });
  return {
    logprobs: {
      tokens: entries.map(({ token }) => token),
      token_logprobs: entries.map(({ logprob }) => logprob),
      top_logprobs: entries.map((entry) => toRecord(entry.top_logprobs)),
      text_offset: offsets,
    },
    nextOffset,
  };
}

/** Two tokens may have one text: the likelier comes first and counts. */
function toRecord(entries: readonly TokenLogprob[]): Record<string, number> {
  return Object.fromEntries([...entries].reverse().map(({ token, logprob }) => [token, logprob]));
}
