import type { LineFacts } from '../ollama/replies/line-facts.ts';
import { mentionsError } from '../ollama/replies/mentions-error.ts';
import { isPlainLine } from '../ollama/replies/parse-line.ts';
import { notAReply, upstreamFailed } from './failures.ts';

/**
 * True if a line of content may pass by its bytes alone: it begins as one does, and nothing in it
 * could be an error member. Any other is parsed before it may pass on (SPEC §6).
 */
export function passesUnread(line: Buffer): boolean {
  return isPlainLine(line) && !mentionsError(line);
}

/** @throws GatewayError for an error line, and for what is no JSON object (null) */
export function judgeLine(facts: LineFacts | null): LineFacts {
  if (!facts) throw notAReply();
  if (facts.failed) throw upstreamFailed();
  return facts;
}
