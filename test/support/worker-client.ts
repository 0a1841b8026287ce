import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Gateway } from './launch-gateway.ts';
import { until } from './until.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A streamed reply while it runs. */
export interface RunningReply {
  readonly status: number;
  readonly requestId: string;
  /** A header of its head, by its name in lower case. */
  header(name: string): string | undefined;
  /** Whole lines received so far. */
  lines(): readonly string[];
  /** True once the reply ended as HTTP wants it, false if its connection was cut. */
  readonly ended: Promise<boolean>;
}

/** A client with one connection, which is kept, and so with one worker. */
export interface WorkerClient {
  /** The worker that took the connection. */
  readonly pid: number;
  /** A streamed chat with llama3, from its first byte on. */
  chat(): Promise<RunningReply>;
  ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer>;
  readonly close: () => void;
}

const CONNECTIONS = 8;
/** The fewer come at once, the fewer workers take all of them. */
const MOST_CONNECTIONS = 64;
const ROUNDS = 20;
const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

/** A client of each worker, `each` of them, found by who logs the request. */
export async function openWorkerClients(
  gateway: Gateway,
  key: string,
  { workers = 2, each = 1 } = {},
): Promise<readonly WorkerClient[]> {
  const kept = new Map<number, WorkerClient[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const count = Math.min(CONNECTIONS * (round + 1), MOST_CONNECTIONS);
    const opened = await Promise.all(Array.from({ length: count }, () => openClient(gateway, key)));
    for (const client of await findWorkers(gateway, opened)) {
      const known = kept.get(client.pid) ?? [];
      if (known.length < each) kept.set(client.pid, [...known, client]);
      else client.close();
    }
    const found = [...kept.values()].flat();
    if (found.length === workers * each) return found;
  }
  throw new Error(`only workers ${[...kept.keys()].join()} take connections`);
}

/** Pids of all workers that listened so far, in that order. */
export function listWorkers(gateway: Gateway): readonly number[] {
  return gateway.events('worker_listening').map((line) => Number(line['worker_pid']));
}

/** Whether a new connection is taken there. */
export function accepts(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** A client whose worker is not known yet. */
interface OpenedClient extends Omit<WorkerClient, 'pid'> {
  /** Of its first request. */
  readonly requestId: string;
}

/** Each with the worker that logs its first request. */
function findWorkers(
  gateway: Gateway,
  opened: readonly OpenedClient[],
): Promise<readonly WorkerClient[]> {
  return until(
    () => {
      const pids = new Map(
        gateway.events('request').map((line) => [line['request_id'], Number(line['pid'])]),
      );
      const found = opened.map((client) => ({ ...client, pid: pids.get(client.requestId) ?? 0 }));
      return found.every(({ pid }) => pid > 0) && found;
    },
    { withinMs: 5_000, what: 'the first requests in the log' },
  );
}

async function openClient(gateway: Gateway, key: string): Promise<OpenedClient> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (method: string, path: string, body?: unknown): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const sent = request(`${gateway.url}${path}`, {
        method,
        agent,
        headers: { authorization: `Bearer ${key}` },
      });
      sent.once('error', reject);
      sent.once('response', resolve);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });

  const first = await send('GET', '/api/version');
  await readText(first);
  return {
    requestId: String(first.headers['request-id']),
    chat: async () => follow(await send('POST', '/api/chat', CHAT)),
    ask: async (method, path, body) => {
      const response = await send(method, path, body);
      return { status: response.statusCode ?? 0, text: await readText(response) };
    },
    close: () => {
      agent.destroy();
    },
  };
}

/** A streamed reply, from its head on. */
export function follow(response: IncomingMessage): RunningReply {
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  response.on('error', () => undefined);
  return {
    status: response.statusCode ?? 0,
    requestId: String(response.headers['request-id']),
    header: (name) => response.headers[name]?.toString(),
    lines: () => text.split('\n').slice(0, -1),
    ended: new Promise((resolve) => {
      response.once('close', () => {
        resolve(response.complete);
      });
    }),
  };
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}
