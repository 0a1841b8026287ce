import { expect } from 'chai';
import fc from 'fast-check';
import { GatewayError } from '../../../../lib/errors/gateway-error.ts';
import { rebuildCall } from '../../../../lib/http/rebuild-call.ts';
import type { RebuiltCall } from '../../../../lib/http/call.ts';
import type { InferenceRoute } from '../../../../lib/http/routes.ts';
import { readSeed } from '../../../support/rounds.ts';

const NAMES = [
  'model',
  'messages',
  'stream',
  'format',
  'keep_alive',
  'tools',
  'options',
  'think',
  'prompt',
  'input',
  'images',
  'role',
  'content',
  'tool_calls',
  'function',
  'arguments',
  'num_predict',
  'stop',
  'context',
];

const text = fc.string({ unit: 'grapheme' });
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...NAMES) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('MODEL', 'me\u017fsages', '\u212aeep_alive', '__proto__'),
  },
  { weight: 2, arbitrary: text },
);

/** JSON texts with keys that mean something, among them twice the same. */
const { json } = fc.letrec<{ json: string; object: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null)).map(toJson),
    tie('object'),
    fc.array(tie('json'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
  ),
  object: fc
    .array(fc.tuple(key, tie('json')), { maxLength: 6 })
    .map((pairs) => `{${pairs.map(([name, value]) => `${toJson(name)}:${value}`).join(',')}}`),
}));

function toJson(value: unknown): string {
  return JSON.stringify(value);
}

/** Bodies that have a chance: a right one, into which wrong things are strewn. */
const message = fc
  .array(fc.tuple(fc.constantFrom('role', 'content', 'thinking', 'Content'), text.map(toJson)), {
    maxLength: 4,
  })
  .map((pairs) => `{${pairs.map(([name, value]) => `"${name}":${value}`).join(',')}}`);

const member = fc.oneof(
  text.map((name) => `"model":${toJson(name)}`),
  fc.array(message, { maxLength: 3 }).map((list) => `"messages":[${list.join(',')}]`),
  text.map((prompt) => `"prompt":${toJson(prompt)}`),
  fc.array(text, { maxLength: 3 }).map((input) => `"input":${toJson(input)}`),
  json.map((format) => `"format":${format}`),
  fc.boolean().map((stream) => `"stream":${String(stream)}`),
  fc.integer().map((count) => `"options":{"num_predict":${count},"other":1,"num_predict":1}`),
  fc.tuple(key, json).map(([name, value]) => `${toJson(name)}:${value}`),
);

const body = fc
  .array(member, { maxLength: 6 })
  .map((members) => `{"model":"m"${members.map((item) => `,${item}`).join('')}}`);

const route = fc.constantFrom<InferenceRoute>('chat', 'generate', 'embed', 'embeddings');

function rebuild(name: InferenceRoute, json: string): RebuiltCall | undefined {
  try {
    return rebuildCall({ route: name, dialect: 'native' }, Buffer.from(json));
  } catch (error) {
    if (error instanceof GatewayError && error.status === 400) return undefined;
    throw error;
  }
}

/** The call as it would be said to an upstream. */
function toUpstream(call: RebuiltCall): string {
  const parts = [`"model":${toJson(call.model)}`, `"stream":${String(call.streamed)}`];
  if (call.members.length > 0) parts.push(Buffer.from(call.members).toString());
  parts.push(`"options":${toJson(call.options)}`);
  if (call.keepAlive !== null) parts.push(`"keep_alive":${toJson(call.keepAlive)}`);
  if (call.shift !== null) parts.push(`"shift":${String(call.shift)}`);
  return `{${parts.join(',')}}`;
}

/** Go's folding of names in ASCII. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll('\u017f', 's');
}

describe('ollama/requests: what goes upstream', () => {
  it('any body is rebuilt or refused with 400, and never anything else', () => {
    fc.assert(
      fc.property(route, fc.oneof(body, json), (name, given) => {
        rebuild(name, given);
      }),
      { seed: readSeed(), numRuns: 1_000 },
    );
  });

  it('read again it is the same call, whoever reads it', () => {
    fc.assert(
      fc.property(route, body, (name, given) => {
        const call = rebuild(name, given);
        if (call) expect(rebuild(name, toUpstream(call))).to.deep.equal(call);
      }),
      { seed: readSeed(), numRuns: 1_000 },
    );
  });

  it('no key stands twice in it, in no spelling', () => {
    let seen = 0;
    fc.assert(
      fc.property(route, body, (name, given) => {
        const call = rebuild(name, given);
        if (!call) return;
        seen += 1;
        const json = toUpstream(call);
        const value = JSON.parse(json) as object;
        // Parsing drops a duplicate; so a text that survives it unchanged has none, at any depth.
        expect(JSON.stringify(value)).to.equal(json);
        const names = Object.keys(value);
        expect(new Set(names.map(fold)).size).to.equal(names.length);
      }),
      { seed: readSeed(), numRuns: 1_000 },
    );
    expect(seen).to.be.greaterThan(200);
  });
});
