import { request as openRequest } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import type { Dialect } from '../../lib/errors/error-body.ts';
import type { AuditRow, Stack } from './stack.ts';
import { until } from './until.ts';

export const DIALECTS: readonly Dialect[] = ['native', 'openai'];

/** One function of the product under both of its paths. */
export interface Pair {
  /** As the audit names it, whatever the client speaks. */
  readonly endpoint: 'chat' | 'generate' | 'embed';
  readonly paths: Readonly<Record<Dialect, string>>;
  readonly model: string;
  /** What `stream` says; null: there is no such field. */
  readonly streamed: boolean | null;
}

export const CHAT: Pair = {
  endpoint: 'chat',
  paths: { native: '/api/chat', openai: '/v1/chat/completions' },
  model: 'llama3:latest',
  streamed: true,
};

/** One of them streams, so that both ways to reply are seen. */
export const PAIRS: readonly Pair[] = [
  CHAT,
  {
    endpoint: 'generate',
    paths: { native: '/api/generate', openai: '/v1/completions' },
    model: 'llama3:latest',
    streamed: false,
  },
  {
    endpoint: 'embed',
    paths: { native: '/api/embed', openai: '/v1/embeddings' },
    model: 'nomic-embed-text:latest',
    streamed: null,
  },
];

/** What a request says, whatever its dialect. */
export interface Wish {
  readonly text?: string;
  /** null: the client names none. */
  readonly maxTokens?: number | null;
  readonly model?: string;
  /** Further members as they stand. */
  readonly more?: object;
}

/** The same request in the one dialect or the other. */
export function makeBody(pair: Pair, dialect: Dialect, wish: Wish = {}): object {
  const { text = 'hello', maxTokens = 50, model = pair.model, more } = wish;
  if (pair.endpoint === 'embed') return { model, input: text, ...more };
  const limit =
    dialect === 'native' ? { options: { num_predict: maxTokens } } : { max_tokens: maxTokens };
  const said =
    pair.endpoint === 'chat' ? { messages: [{ role: 'user', content: text }] } : { prompt: text };
  return { model, ...said, stream: pair.streamed, ...limit, ...more };
}

/** A request as it goes out. */
export interface Sent {
  readonly url: string;
  readonly key?: string | undefined;
  readonly body: string | Uint8Array;
  /** Further headers, as often as they stand here. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Bytes that are announced and never come. */
  readonly missingBytes?: number;
}

export interface Answer {
  readonly id: string;
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** POSTs with headers exactly as they are given; fetch would merge two of one name. */
export function send(sent: Sent): Promise<Answer> {
  const { url, key, body, headers = [], missingBytes = 0 } = sent;
  const length = Buffer.byteLength(body) + missingBytes;
  const own = [
    ['host', new URL(url).host],
    ['content-length', String(length)],
    ...(key === undefined ? [] : [['authorization', `Bearer ${key}`]]),
  ];
  return new Promise((resolve, reject) => {
    const request = openRequest(url, { method: 'POST', headers: [...own, ...headers].flat() });
    request.on('error', reject);
    request.on('response', (response) => {
      const head = { status: response.statusCode ?? 0, headers: response.headersDistinct };
      readText(response).then((text) => {
        request.destroy();
        resolve(toAnswer(head.status, head.headers, text));
      }, reject);
    });
    request.write(body);
    if (missingBytes === 0) request.end();
  });
}

function toAnswer(
  status: number,
  distinct: Readonly<Record<string, readonly string[] | undefined>>,
  text: string,
): Answer {
  const headers = Object.fromEntries(
    Object.entries(distinct).map(([name, values = []]) => [name, values.join(' AND ')]),
  );
  return { id: headers['request-id'] ?? '', status, text, headers };
}

/** The audit rows of requests by their ids, once all are there. */
export async function readRows(
  stack: Stack,
  ids: readonly string[],
): Promise<ReadonlyMap<unknown, AuditRow>> {
  const rows = await until(
    async () => {
      const found = await stack.database.query<AuditRow>(
        'select * from gateway.audit_log where id = any ($1)',
        [ids],
      );
      return found.rows.length >= ids.length && found.rows;
    },
    { withinMs: 10_000, what: `${ids.length} audit rows` },
  );
  return new Map(rows.map((row) => [row['id'], row]));
}

const OF_ONE_REQUEST: ReadonlySet<string> = new Set([
  ...['id', 'admitted_at', 'tenant_id', 'key_id', 'duration_ms'],
  ...['dialect', 'first_token_ms'],
]);

/** What of an audit row must not depend on the dialect: all but what is each request's own. */
export function toCommon(row: AuditRow): AuditRow {
  const common = Object.entries(row).filter(([name]) => !OF_ONE_REQUEST.has(name));
  return Object.fromEntries([...common, ['upstream_answered', row['first_token_ms'] !== null]]);
}
