import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../lib/time/clock.ts';
import { listModels, listRunning, showModel } from './fake-listings.ts';
import type { Asked, FakeRoute } from './fake-lines.ts';
import { PreparedReplies, play } from './fake-play.ts';
import { FAKE_MODELS } from './fake-script.ts';
import type { FakeModel, Script } from './fake-script.ts';

export type { FakeModel, Script } from './fake-script.ts';

/** One request as the fake saw it. */
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** Which TCP connection it came on, counted from 1. */
  readonly connection: number;
  readonly receivedAtMs: number;
  /** Settles with the time (systemClock.monotonicMs) when the response was sent or cut. */
  readonly closed: Promise<number>;
  closedAtMs: number | null;
  /** The response was sent whole; false with a closedAtMs: somebody hung up. */
  completed: boolean;
}

export interface FakeOllama {
  /** http://127.0.0.1:port */
  readonly url: string;
  readonly requests: readonly FakeRequest[];
  /** Inference requests alone, in order. */
  readonly inferences: readonly FakeRequest[];
  /** Inference requests whose response is not over. */
  readonly inFlight: number;
  readonly connections: number;
  /** Scripts for the next inference requests, one each, before `always`. */
  next(...scripts: readonly Script[]): void;
  always(script: Script): void;
  setModels(models: readonly FakeModel[]): void;
  /** From now on its models cannot be asked for (500), or can again; everything else is as ever. */
  failListings(isFailing: boolean): void;
  /** Waits until so many inference requests have come. */
  received(count: number): Promise<FakeRequest>;
  close(): Promise<void>;
}

export interface FakeOptions {
  readonly port?: number;
  /** 127.0.0.1 unless told otherwise. */
  readonly host?: string;
  readonly models?: readonly FakeModel[];
  readonly always?: Script;
  /** Scripts by model name, before `always`. */
  readonly byModel?: Readonly<Record<string, Script>>;
  /** Off for measuring: keeps no request. */
  readonly record?: boolean;
  readonly version?: string;
}

const ROUTES: Readonly<Record<string, FakeRoute>> = {
  '/api/chat': 'chat',
  '/api/generate': 'generate',
  '/api/embed': 'embed',
  '/api/embeddings': 'embeddings',
};

const LISTINGS: ReadonlySet<string> = new Set(['GET /api/tags', 'GET /api/ps', 'POST /api/show']);

/** A real HTTP server that speaks as much of Ollama as the gateway uses, and misbehaves on demand. */
export async function startFakeOllama(options: FakeOptions = {}): Promise<FakeOllama> {
  const fake = new Fake(options);
  await fake.listen(options.port ?? 0);
  return fake;
}

interface AskedBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly input?: unknown;
  readonly options?: { readonly num_predict?: number };
}

class Fake implements FakeOllama {
  readonly requests: FakeRequest[] = [];
  readonly inferences: FakeRequest[] = [];
  inFlight = 0;
  connections = 0;
  url = '';
  readonly #options: FakeOptions;
  readonly #server = createServer({ keepAliveTimeout: 60_000, noDelay: true });
  readonly #prepared = new PreparedReplies();
  readonly #numbers = new WeakMap<object, number>();
  readonly #waiters: { count: number; resolve: (request: FakeRequest) => void }[] = [];
  #models: readonly FakeModel[];
  #always: Script;
  #next: Script[] = [];
  #isFailing = false;

  constructor(options: FakeOptions) {
    this.#options = options;
    this.#models = options.models ?? FAKE_MODELS;
    this.#always = options.always ?? {};
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#numbers.set(socket, this.connections);
      socket.on('error', () => socket.destroy());
    });
    this.#server.on('request', (request, response) => {
      this.#receive(request, response);
    });
  }

  async listen(port: number): Promise<void> {
    const { host = '127.0.0.1' } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  next(...scripts: readonly Script[]): void {
    this.#next.push(...scripts);
  }

  always(script: Script): void {
    this.#always = script;
  }

  setModels(models: readonly FakeModel[]): void {
    this.#models = models;
  }

  failListings(isFailing: boolean): void {
    this.#isFailing = isFailing;
  }

  received(count: number): Promise<FakeRequest> {
    const known = this.inferences[count - 1];
    if (known) return Promise.resolve(known);
    return new Promise((resolve) => this.#waiters.push({ count, resolve }));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => response.destroy());
    response.on('error', () => response.destroy());
    request.on('end', () => {
      this.#answer(request, response, Buffer.concat(chunks).toString());
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const route = ROUTES[request.url ?? ''];
    if (this.#options.record !== false) this.#record({ request, response, body, route });
    if (route === undefined || request.method !== 'POST') {
      this.#answerListing(request, response, body);
      return;
    }
    this.inFlight += 1;
    response.once('close', () => (this.inFlight -= 1));
    this.#infer(response, route, JSON.parse(body) as AskedBody);
  }

  #infer(response: ServerResponse, route: FakeRoute, body: AskedBody): void {
    const model = body.model ?? '';
    if (!this.#models.some((known) => known.name === model)) {
      sendJson(response, 404, { error: `model '${model}' not found` });
      return;
    }
    const script = this.#next.shift() ?? this.#options.byModel?.[model] ?? this.#always;
    const asked: Asked = {
      route,
      model,
      stream: (route === 'chat' || route === 'generate') && body.stream !== false,
      numPredict: body.options?.num_predict ?? null,
      inputs: Array.isArray(body.input) ? body.input.length : 1,
    };
    if (this.#prepared.send(response, asked, script)) return;
    play(response, asked, script).catch(() => response.destroy());
  }

  #answerListing(request: IncomingMessage, response: ServerResponse, body: string): void {
    const target = `${request.method} ${request.url}`;
    if (this.#isFailing && LISTINGS.has(target)) sendJson(response, 500, { error: 'no models' });
    else if (target === 'GET /api/tags') sendJson(response, 200, listModels(this.#models));
    else if (target === 'GET /api/ps') sendJson(response, 200, listRunning(this.#models));
    else if (target === 'GET /api/version') {
      sendJson(response, 200, { version: this.#options.version ?? '0.33.0' });
    } else if (target === 'POST /api/show') {
      const { status, answer } = showModel(this.#models, body);
      sendJson(response, status, answer);
    } else if (request.url === '/') response.end('Ollama is running');
    else response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
  }

  #record(seen: {
    request: IncomingMessage;
    response: ServerResponse;
    body: string;
    route: FakeRoute | undefined;
  }): void {
    const { request, response, body, route } = seen;
    const closed = new Promise<number>((resolve) => {
      response.once('close', () => {
        entry.closedAtMs = systemClock.monotonicMs();
        entry.completed = response.writableFinished;
        resolve(entry.closedAtMs);
      });
    });
    const entry: FakeRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      rawHeaders: request.rawHeaders,
      body,
      connection: this.#numbers.get(request.socket) ?? 0,
      receivedAtMs: systemClock.monotonicMs(),
      closed,
      closedAtMs: null,
      completed: false,
    };
    this.requests.push(entry);
    if (route !== undefined) this.inferences.push(entry);
    for (const waiter of this.#waiters.splice(0)) {
      const reached = this.inferences[waiter.count - 1];
      if (reached) waiter.resolve(reached);
      else this.#waiters.push(waiter);
    }
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(value));
}
