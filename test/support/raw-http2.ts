import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { DOMAIN } from './start-caddy.ts';
import type { Caddy } from './start-caddy.ts';
import { until } from './until.ts';

export type HeaderField = readonly [name: string, value: string];

/** How a request ended, as frames tell. */
export interface Http2Verdict {
  /** The status was 200. */
  readonly accepted: boolean;
  /** RST_STREAM, GOAWAY, or the end of the connection. */
  readonly broken: boolean;
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, goaway: 7 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const HEAD_BYTES = 9;
/** `:status: 200`, as the static table of HPACK has it (RFC 7541, appendix A). */
const STATUS_200 = 0x88;

/**
 * One request on a connection of its own, frame by frame: with names, values and lengths that
 * node:http2 would not send.
 */
export async function askRawHttp2(
  caddy: Caddy,
  fields: readonly HeaderField[],
  body?: string,
): Promise<Http2Verdict> {
  const socket = connectTls({
    host: '127.0.0.1',
    port: caddy.port,
    servername: DOMAIN,
    ca: caddy.ca,
    ALPNProtocols: ['h2'],
  });
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  const block = Buffer.concat(fields.map(encodeField));
  const flags = body === undefined ? END_HEADERS | END_STREAM : END_HEADERS;
  socket.write(
    Buffer.concat([
      Buffer.from(PREFACE),
      toFrame(FRAME.settings, 0, 0, Buffer.alloc(0)),
      toFrame(FRAME.headers, flags, 1, block),
      ...(body === undefined ? [] : [toFrame(FRAME.data, END_STREAM, 1, Buffer.from(body))]),
    ]),
  );
  try {
    return await until(() => readVerdict(received, socket.closed), {
      withinMs: 5_000,
      what: 'the end of the request',
    });
  } finally {
    socket.destroy();
  }
}

/** Null as long as the request is not over. */
function readVerdict(bytes: Buffer, closed: boolean): Http2Verdict | null {
  let accepted = false;
  for (let at = 0; at + HEAD_BYTES <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    const type = bytes[at + 3];
    const flags = bytes[at + 4] ?? 0;
    const stream = bytes.readUInt32BE(at + 5);
    if (type === FRAME.headers && bytes[at + HEAD_BYTES] === STATUS_200) accepted = true;
    if (type === FRAME.goaway || type === FRAME.reset) return { accepted, broken: true };
    const ends = (flags & END_STREAM) !== 0 && (type === FRAME.headers || type === FRAME.data);
    if (stream === 1 && ends) return { accepted, broken: false };
    at += HEAD_BYTES + length;
  }
  return closed ? { accepted, broken: true } : null;
}

/** A literal field without indexing and without Huffman (RFC 7541 §6.2.2). */
function encodeField([name, value]: HeaderField): Buffer {
  return Buffer.concat([Buffer.from([0]), encodeString(name), encodeString(value)]);
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

function toFrame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
