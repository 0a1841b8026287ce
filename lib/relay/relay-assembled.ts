import { hasContent, isDone, isErrorLine, parseLine } from '../ollama/replies/parse-line.ts';
import { readUsage } from '../ollama/replies/read-usage.ts';
import { Assembly } from './assemble.ts';
import { lineTooLong, notAReply, replyTooLong, upstreamFailed } from './failures.ts';
import { LineSplitter } from './line-splitter.ts';
import { readReply } from './read-reply.ts';
import { maxLinesOf } from './relay-request.ts';
import type { RelayLimits, RelayRequest } from './relay-request.ts';
import { sendBody } from './send-body.ts';

const NEWLINE = 0x0a;

/**
 * Puts a streamed reply together for a client that asked for no stream, and sends it as one JSON
 * (SPEC §6). Resolves when the response was ended or the client is gone.
 *
 * @throws GatewayError for an error line and every other failure: nothing of the text is sent
 */
export async function relayAssembled(limits: RelayLimits, request: RelayRequest): Promise<void> {
  const { tally } = request;
  const assembly = new Assembly(limits.maxAssembledBytes);
  const splitter = new LineSplitter(limits.maxLineBytes);
  const reader = new LineReader(limits, request, assembly);
  let bytesIn = 0;
  const whole = await readReply(request, (chunk) => {
    bytesIn += chunk.length;
    if (bytesIn > limits.maxReplyBytes) throw replyTooLong();
    const piece = splitter.push(chunk);
    if (piece) reader.readLines(piece);
  });
  if (!whole) return;

  // From here on there is no upstream to cut; what is wrong is still the upstream's fault.
  tally.outcome = 'upstream_error';
  const rest = splitter.takeRest();
  if (rest) reader.readLine(rest);
  const { last } = assembly;
  const reply = assembly.finish();
  if (!last || !reply) throw notAReply();
  tally.outcome = isDone(last) ? 'ok' : 'upstream_incomplete';
  if (isDone(last)) {
    tally.reported = readUsage(last);
    if (!hasContent(last)) tally.outputLines -= 1;
  }
  sendBody(limits, request, Buffer.from(JSON.stringify(reply)));
}

class LineReader {
  readonly #maxLineBytes: number;
  readonly #maxLines: number;
  readonly #request: RelayRequest;
  readonly #assembly: Assembly;

  constructor(limits: RelayLimits, request: RelayRequest, assembly: Assembly) {
    this.#maxLineBytes = limits.maxLineBytes;
    this.#maxLines = maxLinesOf(request.lease);
    this.#request = request;
    this.#assembly = assembly;
  }

  readLines(piece: Buffer): void {
    let start = 0;
    while (start < piece.length) {
      const end = piece.indexOf(NEWLINE, start) + 1;
      this.readLine(piece.subarray(start, end));
      start = end;
    }
  }

  readLine(bytes: Buffer): void {
    const { tally, observer } = this.#request;
    if (bytes.length > this.#maxLineBytes) throw lineTooLong();
    const line = parseLine(bytes);
    if (!line) throw notAReply();
    if (isErrorLine(line)) throw upstreamFailed();
    if (tally.outputLines >= this.#maxLines) throw replyTooLong();
    tally.outputLines += 1;
    this.#assembly.add(line, bytes.length);
    observer?.(bytes);
  }
}
