import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { until } from './until.ts';

/** A client that writes bytes as a test dictates them: what no HTTP library would send. */
export class RawClient {
  readonly socket: Socket;
  #text = '';
  #closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#text += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
    });
  }

  /** Everything received so far. */
  get text(): string {
    return this.#text;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Status of the last response head received, 0 before the first. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.#text)?.[1] ?? 0);
  }

  get body(): string {
    return this.#text.split('\r\n\r\n').slice(1).join('\r\n\r\n');
  }

  send(...parts: readonly (string | Uint8Array)[]): void {
    for (const part of parts) this.socket.write(part);
  }

  async untilText(part: string, withinMs = 3_000): Promise<void> {
    await until(() => this.#text.includes(part), { withinMs, what: `${part} in ${this.#text}` });
  }

  async untilClosed(withinMs = 3_000): Promise<void> {
    await until(() => this.#closed, { withinMs, what: `the close after ${this.#text}` });
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export async function openRawClient(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1' });
  const client = new RawClient(socket);
  await once(socket, 'connect');
  return client;
}

/** Sends lines of a head (joined by CRLF, with the empty line) and a body; waits for the close. */
export async function exchangeRaw(
  port: number,
  head: readonly string[],
  body: string | Uint8Array = '',
): Promise<RawClient> {
  const client = await openRawClient(port);
  client.send([...head, '', ''].join('\r\n'), body);
  await client.untilClosed();
  return client;
}

/** A head that asks for the close, so that the end of the answer is known. */
export function head(requestLine: string, ...headers: readonly string[]): string[] {
  return [`${requestLine} HTTP/1.1`, 'Host: gateway', 'Connection: close', ...headers];
}

/** POSTs a JSON text. */
export function postRaw(
  port: number,
  target: string,
  body: string | Uint8Array,
): Promise<RawClient> {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return exchangeRaw(port, head(`POST ${target}`, length), body);
}
