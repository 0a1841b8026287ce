import { expect } from 'chai';
import type { Dialect } from '../../lib/errors/error-body.ts';
import { REFUSALS } from '../../lib/errors/refusals.ts';
import type { RefusalCode } from '../../lib/errors/refusals.ts';
import { DIALECTS, PAIRS, readRows, toCommon } from './both-dialects.ts';
import type { Answer, Pair } from './both-dialects.ts';
import type { Stack } from './stack.ts';

/**
 * How far a request comes. Nobody is known to `caller`: there is no row. To `request` the model is
 * not known yet. What `upstream` refuses was admitted.
 */
export type Step = 'caller' | 'request' | 'admission' | 'upstream';

export interface Refusal {
  readonly what: string;
  readonly code: RefusalCode;
  readonly at: Step;
  /** Asks until it is refused; the answer is the refusal. */
  readonly ask: (pair: Pair, dialect: Dialect) => Promise<Answer>;
  readonly endpoints?: readonly Pair['endpoint'][];
  /** What OpenAI's clients are told is at fault; none: nothing. */
  readonly param?: string | Readonly<Partial<Record<Pair['endpoint'], string>>>;
  /** What the sentences call differently: native, OpenAI. */
  readonly words?: readonly [native: string, openai: string];
  /** No wait helps. */
  readonly final?: true;
  /** Headers that it must have, as they are. */
  readonly tells?: Readonly<Record<string, string>>;
  /** Requests that are answered on the way to it, each from the upstream. */
  readonly before?: number;
  /** The audit's name of a route that is none. */
  readonly route?: string;
}

/** SPEC §9, by status; what is not here is `api_error`. */
const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'invalid_request_error',
  415: 'invalid_request_error',
  429: 'rate_limit_error',
  431: 'invalid_request_error',
};
/** Each request's own; and what hangs on whether its body had come when it was refused. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  ...['request-id', 'x-request-id', 'content-length', 'date'],
  ...['connection', 'keep-alive'],
]);
/** Both are asked at once; a second may begin between them. */
const APART_MS = 2_500;

type Both<T> = Readonly<Record<Dialect, T>>;

/** One refusal of one endpoint, as it was told in both. */
export interface Refused {
  readonly refusal: Refusal;
  readonly pair: Pair;
  readonly answers: Both<Answer>;
}

/** Runs it through both dialects of each of its endpoints, and compares what their clients see. */
export async function expectRefusedAlike(stack: Stack, refusal: Refusal): Promise<Refused[]> {
  const seen = stack.ollama.inferences.length;
  const pairs = PAIRS.filter(({ endpoint }) => refusal.endpoints?.includes(endpoint) ?? true);
  const refused = await Promise.all(pairs.map((pair) => expectPair(refusal, pair)));
  const each = (refusal.before ?? 0) + (refusal.at === 'upstream' ? 1 : 0);
  const reached = stack.ollama.inferences.length - seen;
  expect(reached, 'requests that the upstream saw').to.equal(each * 2 * pairs.length);
  return refused;
}

async function expectPair(refusal: Refusal, pair: Pair): Promise<Refused> {
  const [native, openai] = await Promise.all([
    refusal.ask(pair, 'native'),
    refusal.ask(pair, 'openai'),
  ]);
  const refused = { refusal, pair, answers: { native, openai } };
  expectBodies(refused);
  expectHeaders(refused);
  return refused;
}

function expectBodies({ refusal, pair: { endpoint }, answers: { native, openai } }: Refused): void {
  const { code, param = null, words = ['', ''] } = refusal;
  const status = REFUSALS[code];
  expect(
    [native.status, openai.status],
    `${endpoint}: ${native.text} ${openai.text}`,
  ).to.deep.equal([status, status]);
  const told = JSON.parse(openai.text) as { readonly error: { readonly message: string } };
  expect(Object.keys(told.error)).to.deep.equal(['message', 'type', 'param', 'code']);
  expect(told).to.deep.equal({
    error: {
      message: told.error.message,
      type: TYPES[status] ?? 'api_error',
      param: typeof param === 'string' ? param : (param?.[endpoint] ?? null),
      code,
    },
  });
  const said = JSON.parse(native.text) as { readonly error: string };
  expect(said).to.deep.equal({ error: said.error });
  expect(withoutTime(said.error).replaceAll(...words)).to.equal(withoutTime(told.error.message));
}

function withoutTime(sentence: string): string {
  return sentence.replace(/Try again in \d+ s\./, 'Try again in a while.');
}

function expectHeaders({ refusal, pair, answers: { native, openai } }: Refused): void {
  const [one, other] = [splitHeaders(native), splitHeaders(openai)];
  expect(one.exact, pair.endpoint).to.deep.equal(other.exact);
  expect([...one.timesMs.keys()], pair.endpoint).to.deep.equal([...other.timesMs.keys()]);
  for (const [name, ms] of one.timesMs) {
    expect(ms, `${pair.endpoint}: ${name}`).to.be.closeTo(other.timesMs.get(name) ?? 0, APART_MS);
  }
  expect(one.exact).to.include({ 'content-type': 'application/json', ...refusal.tells });
  const waits = [429, 503].includes(native.status) && refusal.final !== true;
  for (const { headers } of [native, openai]) expectWait(headers, waits);
}

function expectWait(headers: Answer['headers'], waits: boolean): void {
  if (!waits) {
    expect(headers).to.not.have.any.keys('retry-after', 'retry-after-ms');
    return;
  }
  const waitMs = Number(headers['retry-after-ms']);
  expect(waitMs).to.be.above(0);
  expect(headers['retry-after']).to.equal(String(Math.ceil(waitMs / 1_000)));
}

/** What is the same however long it took, and what tells a time. */
function splitHeaders({ headers }: Answer): {
  readonly exact: Readonly<Record<string, string>>;
  readonly timesMs: ReadonlyMap<string, number>;
} {
  const exact: Record<string, string> = {};
  const timesMs = new Map<string, number>();
  for (const [name, value] of Object.entries(headers).sort()) {
    if (OWN_HEADERS.has(name)) continue;
    if (name === 'retry-after-ms') timesMs.set(name, Number(value));
    else if (name === 'retry-after') timesMs.set(name, Number(value) * 1_000);
    else if (name.startsWith('x-ratelimit-reset-')) timesMs.set(name, readDurationMs(value));
    else exact[name] = value;
  }
  return { exact, timesMs };
}

function readDurationMs(text: string): number {
  expect(text).to.match(/^[0-9m]+s$/);
  const [seconds = 0, minutes = 0] = text.split('m').reverse().map(Number.parseFloat);
  return (60 * minutes + seconds) * 1_000;
}

/**
 * To end with: audit rows differ in the dialect alone, and what nobody known asked for has none.
 * Rows of refusals come some time after them.
 */
export async function expectAuditedAlike(stack: Stack, all: readonly Refused[]): Promise<void> {
  const known = all.filter(({ refusal }) => refusal.at !== 'caller');
  const rows = await readRows(stack, listIds(known));
  for (const { refusal, pair, answers } of known) {
    const of = `${refusal.what}: ${pair.endpoint}`;
    const [native, openai] = DIALECTS.map((dialect) => {
      const row = rows.get(answers[dialect].id) ?? {};
      expect(row, of).to.include({ dialect });
      return toCommon(row);
    });
    expect(native, of).to.deep.equal(openai);
    expect(native, of).to.include(toExpected(refusal, pair));
  }
  const unknown = all.filter(({ refusal }) => refusal.at === 'caller');
  const { rows: found } = await stack.database.query(
    'select id from gateway.audit_log where id = any ($1)',
    [listIds(unknown)],
  );
  expect(found, 'rows of callers that are not known').to.deep.equal([]);
}

/** The ids, as they were told, of the requests that were refused. */
export function listIds(all: readonly Refused[]): readonly string[] {
  return all.flatMap(({ answers }) => [answers.native.id, answers.openai.id]);
}

function toExpected(refusal: Refusal, pair: Pair): object {
  const admitted = refusal.at === 'upstream';
  return {
    endpoint: refusal.route ?? pair.endpoint,
    model: refusal.at === 'request' ? null : pair.model,
    status: REFUSALS[refusal.code],
    outcome: admitted ? 'upstream_error' : 'refused',
    refusal_code: admitted ? null : refusal.code,
    completion_tokens: 0,
    bytes_out: 0,
  };
}
