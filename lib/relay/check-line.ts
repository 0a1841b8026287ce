import { isErrorLine, isPlainLine, parseLine } from '../ollama/replies/parse-line.ts';
import { lineTooLong, notAReply, upstreamFailed } from './failures.ts';

/** Where a line is in a piece, its newline included. */
export interface LineSpan {
  readonly start: number;
  readonly end: number;
  readonly maxBytes: number;
}

/**
 * Lets a line of content through by its first bytes; any other is parsed before it may pass on.
 * @throws GatewayError for an error line, for what is no JSON object, for what is too long
 */
export function checkLine(piece: Buffer, { start, end, maxBytes }: LineSpan): void {
  if (end - start > maxBytes) throw lineTooLong();
  if (isPlainLine(piece, start)) return;
  const line = parseLine(piece.subarray(start, end));
  if (!line) throw notAReply();
  if (isErrorLine(line)) throw upstreamFailed();
}
