import { hasContent, isDone, isErrorLine, parseLine } from './parse-line.ts';
import type { ReplyLine } from './parse-line.ts';
import { readUsage } from './read-usage.ts';
import type { Usage } from './read-usage.ts';

/** What the gateway itself wants to know of a line. Plain data: it may come from a thread. */
export interface LineFacts {
  /** The upstream says that it failed. */
  readonly failed: boolean;
  readonly done: boolean;
  readonly content: boolean;
  readonly usage: Usage;
}

/** Null: no JSON object. */
export function readLineFacts(bytes: Uint8Array): LineFacts | null {
  const line = parseLine(bytes);
  return line && toLineFacts(line);
}

export function toLineFacts(line: ReplyLine): LineFacts {
  return {
    failed: isErrorLine(line),
    done: isDone(line),
    content: hasContent(line),
    usage: readUsage(line),
  };
}
