import type { JsonPiece } from '../ollama/replies/line-pieces.ts';
import type { ReplyMemory } from './reply-memory.ts';

/** So much text is gathered before it becomes bytes: a token is a few letters. */
const GATHERED_LENGTH = 16_384;

/** JSON that grows piece by piece, so that no reply is ever serialised in one go. */
export class JsonText {
  readonly #memory: ReplyMemory;
  readonly #separator: string;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #gathered = '';

  constructor(memory: ReplyMemory, separator = '') {
    this.#memory = memory;
    this.#separator = separator;
  }

  get empty(): boolean {
    return this.length === 0;
  }

  /** Bytes, of what is still gathered as long as all is ASCII. */
  get length(): number {
    return this.#bytes + this.#gathered.length;
  }

  /** @throws GatewayError when replies hold too much together */
  add(piece: JsonPiece): void {
    if (piece.length === 0) return;
    if (!this.empty) this.#gathered += this.#separator;
    if (typeof piece === 'string') {
      this.#gathered += piece;
      if (this.#gathered.length > GATHERED_LENGTH) this.#flush();
    } else {
      this.#flush();
      this.#keep(piece);
    }
  }

  /** Everything, in order. @throws GatewayError as `add` */
  take(): Uint8Array[] {
    this.#flush();
    const taken = this.#pieces;
    this.#pieces = [];
    return taken;
  }

  #flush(): void {
    if (this.#gathered === '') return;
    this.#keep(Buffer.from(this.#gathered));
    this.#gathered = '';
  }

  #keep(piece: Uint8Array): void {
    this.#memory.hold(piece.length);
    this.#bytes += piece.length;
    this.#pieces.push(piece);
  }
}
