const LEAVES = '+-:_#,(';
const BULKS = '$!=';
const LISTS = '*~>';
const MAP = '%';
const MAX_LENGTH = 512 * 1_048_576;

/** Cuts a stream of RESP2 or RESP3 into whole top-level values, however it was split. */
export class RespFrames {
  #bytes: Buffer = Buffer.alloc(0);
  /** Up to here the value at the front has been looked through. */
  #at = 0;
  /** How many elements each list that is open still lacks, the innermost last. */
  readonly #missing: number[] = [];

  /** @throws Error when this is no RESP. */
  read(chunk: Buffer): readonly Buffer[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const frames: Buffer[] = [];
    while (this.#findEnd()) {
      frames.push(this.#bytes.subarray(0, this.#at));
      this.#bytes = this.#bytes.subarray(this.#at);
      this.#at = 0;
    }
    return frames;
  }

  #findEnd(): boolean {
    for (;;) {
      const element = readElement(this.#bytes, this.#at);
      if (element === undefined) return false;
      this.#at = element.end;
      if (element.children > 0) this.#missing.push(element.children);
      else if (this.#closeLists()) return true;
    }
  }

  /** One element more is whole. True when nothing is open any longer. */
  #closeLists(): boolean {
    for (let left = this.#missing.pop(); left !== undefined; left = this.#missing.pop()) {
      if (left > 1) {
        this.#missing.push(left - 1);
        return false;
      }
    }
    return true;
  }
}

interface Element {
  readonly end: number;
  readonly children: number;
}

/** The element that starts there: a list only up to its children. Undefined while it is not whole. */
function readElement(bytes: Buffer, start: number): Element | undefined {
  if (start >= bytes.length) return undefined;
  const type = String.fromCharCode(bytes[start] ?? 0);
  if (!(LEAVES + BULKS + LISTS + MAP).includes(type)) throw new Error('this is not RESP');
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const end = lineEnd + 2;
  if (LEAVES.includes(type)) return { end, children: 0 };
  const count = readCount(bytes.toString('latin1', start + 1, lineEnd));
  if (type === MAP) return { end, children: 2 * count };
  if (LISTS.includes(type)) return { end, children: count };
  if (count === -1) return { end, children: 0 };
  const bulkEnd = end + count + 2;
  return bulkEnd > bytes.length ? undefined : { end: bulkEnd, children: 0 };
}

function readCount(text: string): number {
  const count = Number(text);
  const known = /^-?\d+$/.test(text) && count >= -1 && count <= MAX_LENGTH;
  if (!known) throw new Error('this is not RESP: a length is missing');
  return count;
}

/**
 * The strings of a command, which is a list of bulk strings.
 * @throws Error when the value is anything else.
 */
export function readStrings(frame: Buffer): readonly string[] {
  const strings: string[] = [];
  if (frame[0] !== 0x2a) throw new Error('this is not a command of RESP');
  let at = frame.indexOf('\r\n') + 2;
  while (at < frame.length) {
    if (frame[at] !== 0x24) throw new Error('this is not a command of RESP');
    const textStart = frame.indexOf('\r\n', at) + 2;
    const end = textStart + Number(frame.toString('latin1', at + 1, textStart - 2));
    strings.push(frame.toString('utf8', textStart, end));
    at = end + 2;
  }
  return strings;
}
