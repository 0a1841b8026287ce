import { buildWhole } from '../test/support/fake-lines.ts';
import type { Script } from '../test/support/fake-script.ts';

/** What a server is asked. */
export interface Asked {
  readonly path: string;
  readonly body: string;
}

/** What is measured: one kind of request at some numbers of connections. */
export interface Scenario extends Asked {
  readonly name: string;
  /** What those are asked that cannot do the work: the nearest that they can. */
  readonly rivals?: Asked;
  readonly connections: readonly number[];
  /** Lines that every answer must have at least. */
  readonly lines: number;
}

const ANSWER_BYTES = 364;
const STREAM_LINES = 200;
const JSON_MODEL = 'perf-json:latest';
const STREAM_MODEL = 'perf-stream:latest';

const MESSAGES = [
  { role: 'system', content: 'You are a terse assistant.' },
  { role: 'user', content: 'Name the largest city of each continent, and nothing else.' },
];

const NATIVE_STREAM: Asked = {
  path: '/api/chat',
  body: JSON.stringify({ model: STREAM_MODEL, messages: MESSAGES }),
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: `JSON, ${ANSWER_BYTES}-byte answer`,
    path: '/api/chat',
    body: JSON.stringify({ model: JSON_MODEL, stream: false, messages: MESSAGES }),
    connections: [1, 32],
    lines: 0,
  },
  {
    name: `native stream, ${STREAM_LINES} lines`,
    ...NATIVE_STREAM,
    connections: [1, 32],
    lines: STREAM_LINES,
  },
  {
    name: 'the same, translated to events',
    path: '/v1/chat/completions',
    body: JSON.stringify({ model: STREAM_MODEL, messages: MESSAGES, stream: true }),
    rivals: NATIVE_STREAM,
    connections: [1, 32],
    lines: STREAM_LINES,
  },
];

/** Options of the fake Ollama for these scenarios. */
export function makeFakeOptions(): object {
  const asked = {
    route: 'chat',
    model: JSON_MODEL,
    stream: false,
    numPredict: null,
    inputs: 1,
  } as const;
  const empty = Buffer.byteLength(buildWhole(asked, { tokens: 1, text: '' }));
  const json: Script = { tokens: 1, text: 'x'.repeat(Math.max(0, ANSWER_BYTES - empty)) };
  // Ollama flushes each line: a write, and so a packet, of its own.
  const stream: Script = { tokens: STREAM_LINES, text: ' token', splitBytes: 65_536 };
  return {
    models: [{ name: JSON_MODEL }, { name: STREAM_MODEL }],
    byModel: { [JSON_MODEL]: json, [STREAM_MODEL]: stream },
  };
}
