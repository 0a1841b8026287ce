import type { LineFacts } from '../ollama/replies/line-facts.ts';
import type { Tally } from '../upstream/tally.ts';

/**
 * What the last line tells is believed however the reply ends: with its client gone, or with the
 * body broken after it. Once per reply; a last line without content was no line of output.
 */
export function noteLast(tally: Tally, last: LineFacts | null): void {
  if (!last?.done) return;
  tally.reported = last.usage;
  if (!last.content) tally.outputLines -= 1;
}
