import { expect } from 'chai';
import { readFileSync, readdirSync } from 'node:fs';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import type { JsonObject } from '../../../lib/ollama/json-object.ts';
import { rebuildChat } from '../../../lib/ollama/requests/chat.ts';
import { rebuildEmbed } from '../../../lib/ollama/requests/embed.ts';
import { rebuildGenerate } from '../../../lib/ollama/requests/generate.ts';
import type { NativeRequest } from '../../../lib/ollama/requests/native-request.ts';
import { translateChat } from '../../../lib/openai/requests/chat.ts';
import { translateCompletion } from '../../../lib/openai/requests/completion.ts';
import { translateEmbeddings } from '../../../lib/openai/requests/embeddings.ts';
import type { TranslatedRequest } from '../../../lib/openai/requests/translated-request.ts';
import { ROOT } from '../../../lib/root.ts';

const TRANSLATE = {
  chat: translateChat,
  completion: translateCompletion,
  embeddings: translateEmbeddings,
} as const;

/** Who reads on the native endpoint what was translated. */
const REBUILD = {
  chat: rebuildChat,
  completion: rebuildGenerate,
  embeddings: rebuildEmbed,
} as const;

type Endpoint = keyof typeof TRANSLATE;

/** What is not said in a case is as it is for the least request of its endpoint. */
interface Native {
  readonly model?: string;
  readonly members: JsonObject;
  readonly options?: JsonObject;
  readonly streamed?: boolean;
  readonly idle?: 'load' | null;
  readonly wishes?: JsonObject;
}

interface Case {
  /** A sentence; the name of the test. */
  readonly shows: string;
  readonly endpoint: Endpoint;
  /** The body as JSON, or as the very text. */
  readonly request?: JsonObject;
  readonly body?: string;
  readonly native?: Native;
  readonly refusal?: { readonly code: string; readonly param: string | null };
}

const LEAST_OPTIONS: Readonly<Record<Endpoint, JsonObject>> = {
  chat: { temperature: 1, top_p: 1 },
  completion: { temperature: 1, top_p: 1, frequency_penalty: 0, presence_penalty: 0 },
  embeddings: {},
};

const FOLDER = new URL('test/fixtures/openai/requests/', ROOT);

function readCases(file: string): readonly Case[] {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as readonly Case[];
}

function translate(given: Case): TranslatedRequest {
  const text = given.body ?? JSON.stringify(given.request);
  return TRANSLATE[given.endpoint](Buffer.from(text));
}

/** The same request as a client of the native dialect would have sent it. */
function askNatively(endpoint: Endpoint, request: TranslatedRequest): NativeRequest {
  const { model, streamed: stream, options } = request;
  return REBUILD[endpoint](
    Buffer.from(JSON.stringify({ ...readMembers(request), model, stream, options })),
  );
}

function readMembers(request: NativeRequest): JsonObject {
  return JSON.parse(`{${Buffer.from(request.members).toString()}}`) as JsonObject;
}

function catchRefusal(act: () => unknown): GatewayError {
  try {
    act();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** What the client wrote as an object of its own, whose keys keep their order. */
function listFreeForms(members: JsonObject): string {
  const { format, tools, messages } = members as {
    format?: unknown;
    tools?: readonly { function: { parameters?: unknown } }[];
    messages?: readonly { tool_calls?: readonly { function: { arguments?: unknown } }[] }[];
  };
  const schemas = tools?.map((tool) => tool.function.parameters);
  const calls = messages?.flatMap((message) => message.tool_calls ?? []);
  return JSON.stringify([format, schemas, calls?.map((call) => call.function.arguments)]);
}

function checkNative(given: Case, native: Native): void {
  const request = translate(given);
  const members = readMembers(request);
  expect(members).to.deep.equal(native.members);
  expect(listFreeForms(members)).to.equal(listFreeForms(native.members));
  const asked = askNatively(given.endpoint, request);
  expect(readMembers(asked)).to.deep.equal(members);
  expect({ ...request, members: null }).to.deep.equal({
    model: native.model ?? 'm',
    members: null,
    options: native.options ?? LEAST_OPTIONS[given.endpoint],
    streamed: native.streamed ?? false,
    keepAlive: null,
    shift: null,
    idle: native.idle ?? null,
    measure: asked.measure,
    wishes: native.wishes ?? { includeUsage: false, encoding: 'float' },
  });
}

function checkRefusal(given: Case, refusal: NonNullable<Case['refusal']>): void {
  const { code, status, details } = catchRefusal(() => translate(given));
  expect({ code, status, param: details.param ?? null }).to.deep.equal({ ...refusal, status: 400 });
}

const files = readdirSync(FOLDER).sort();
const names = new Set<string>();

for (const file of files) {
  describe(`openai/requests: ${file}`, () => {
    for (const given of readCases(file)) {
      it(given.shows, () => {
        const { native, refusal } = given;
        expect([native, refusal].filter(Boolean)).to.have.length(1);
        if (native) checkNative(given, native);
        if (refusal) checkRefusal(given, refusal);
      });
      names.add(given.shows);
    }
  });
}

describe('openai/requests: fixtures', () => {
  it('each case shows something that no other shows', () => {
    const cases = files.flatMap(readCases);
    expect(cases).to.have.length.greaterThan(80);
    expect(names.size).to.equal(cases.length);
  });
});
