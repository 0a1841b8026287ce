import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

export interface Asked {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one path in its own way, or leaves it to the server's usual answer. */
export type Answer = (response: ServerResponse, body: string) => void | Promise<void>;

/** An upstream's read endpoints, each of which can be told to misbehave. */
export class ListingServer {
  readonly asked: Asked[] = [];
  /** Names without a tag get `:latest`; the digest follows from name and edition. */
  models: readonly string[] = ['llama3:latest'];
  edition = 1;
  version = '0.33.0';
  readonly answers = new Map<string, Answer>();
  /** Requests that are being answered, and the most there ever were. */
  open = 0;
  most = 0;
  readonly #server = createServer((request, response) => {
    void this.#serve(request, response);
  });

  /** Stays after `stop`, when nobody listens there any more. */
  url = '';

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  count(path: string): number {
    return this.asked.filter(({ line }) => line.endsWith(` ${path}`)).length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.most = Math.max(this.most, ++this.open);
    response.once('close', () => this.open--);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const path = request.url ?? '';
    this.asked.push({ line: `${request.method} ${path}`, headers: request.headers, body });
    await turn();
    await (this.answers.get(path) ?? answerJson(this.#usual(path, body)))(response, body);
  }

  #usual(path: string, body: string): unknown {
    if (path === '/api/version') return { version: this.version };
    if (path === '/api/show') {
      const { model } = JSON.parse(body) as { model: string };
      return { system: `${model} ${this.edition}`, modelfile: 'FROM /x', capabilities: ['tools'] };
    }
    const models = this.models.map((name) => ({
      name,
      model: name,
      digest: `${name.replaceAll(/\W/g, '-')}-${this.edition}`,
      modified_at: '2026-01-01T00:00:00Z',
    }));
    return { models };
  }
}

export function answerJson(value: unknown, status = 200): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
}
