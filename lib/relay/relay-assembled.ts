import type { Assembly, AssemblyParts, Part } from './assembly.ts';
import { lineTooLong, notAReply, replyTooLong, upstreamFailed } from './failures.ts';
import { LineCount } from './line-count.ts';
import { LineSplitter } from './line-splitter.ts';
import { noteLast } from './note-last.ts';
import { readReply } from './read-reply.ts';
import type { WholeReader } from './read-reply.ts';
import { openMemory } from './relay-request.ts';
import type { RelayParts, RelayRequest } from './relay-request.ts';
import type { ReplyMemory } from './reply-memory.ts';
import { sendBody } from './send-body.ts';

const NEWLINE = 0x0a;

/**
 * Puts a streamed reply together for a client that asked for no stream, and sends it as one JSON
 * (SPEC §6). Resolves when the response was ended or the client is gone.
 *
 * @throws GatewayError for an error line and every other failure: nothing of the text is sent
 */
export async function relayAssembled(
  parts: RelayParts,
  request: RelayRequest,
  openAssembly: (held: AssemblyParts) => Assembly,
): Promise<void> {
  const { tally } = request;
  const memory = openMemory(parts, request);
  const assembly = openAssembly({ maxBytes: parts.limits.maxAssembledBytes, memory });
  const reader = new LineReader(parts, request, { memory, assembly });
  try {
    const body = await readReply(request, reader);
    if (!body) return;
    tally.outcome = assembly.last?.done === true ? 'ok' : 'upstream_incomplete';
    sendBody(parts.limits, request, body);
  } finally {
    reader.stop();
    noteLast(tally, assembly.last);
  }
}

interface ReaderParts {
  readonly memory: ReplyMemory;
  readonly assembly: Assembly;
}

class LineReader implements WholeReader<Uint8Array[]> {
  readonly #parts: RelayParts;
  readonly #memory: ReplyMemory;
  readonly #assembly: Assembly;
  readonly #splitter: LineSplitter;
  readonly #count: LineCount;
  #bytesIn = 0;
  #over = false;

  constructor(parts: RelayParts, request: RelayRequest, { memory, assembly }: ReaderParts) {
    this.#parts = parts;
    this.#memory = memory;
    this.#assembly = assembly;
    this.#splitter = new LineSplitter(parts.limits.maxLineBytes, memory);
    this.#count = new LineCount(request);
  }

  /** The reply is over, whatever is still worked on: nothing more is read or counted. */
  stop(): void {
    this.#over = true;
  }

  onChunk(chunk: Buffer): Promise<void> | undefined {
    this.#bytesIn += chunk.length;
    if (this.#bytesIn > this.#parts.limits.maxReplyBytes) throw replyTooLong();
    const piece = this.#splitter.push(chunk);
    return piece ? this.#readLines(piece, 0) : undefined;
  }

  async onEnd(): Promise<Uint8Array[]> {
    const rest = this.#splitter.takeRest();
    if (rest) await this.#readLine(rest);
    // Nobody takes it.
    if (this.#over) return [];
    const body = this.#assembly.finish();
    if (!body) throw notAReply();
    return body;
  }

  #readLines(piece: Buffer, from: number): Promise<void> | undefined {
    let start = from;
    while (start < piece.length && !this.#over) {
      const end = piece.indexOf(NEWLINE, start) + 1;
      const work = this.#readLine(piece.subarray(start, end));
      if (work) return work.then(() => this.#readLines(piece, end));
      start = end;
    }
    return undefined;
  }

  /** A large line is taken apart in a thread: those after it wait. */
  #readLine(bytes: Buffer): Promise<void> | undefined {
    const { limits } = this.#parts;
    if (bytes.length > limits.maxLineBytes) throw lineTooLong();
    if (bytes.length > limits.largeReplyBytes) {
      const work = this.#memory.during(this.#assembly.readLarge(bytes, this.#memory));
      return work.then((part) => {
        if (!this.#over) this.#add(part, bytes);
      });
    }
    this.#add(this.#assembly.read(bytes), bytes);
    return undefined;
  }

  #add(part: Part | null, bytes: Buffer): void {
    if (!part) throw notAReply();
    if (part.facts.failed) throw upstreamFailed();
    this.#count.check();
    this.#count.note(bytes);
    part.add();
  }
}
