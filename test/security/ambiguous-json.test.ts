import { expect } from 'chai';
import { openFront } from '../support/open-front.ts';
import type { Front } from '../support/open-front.ts';
import { postRaw } from '../support/raw-client.ts';

const MESSAGES = '"messages":[{"role":"user","content":"hi"}]';

describe('security: JSON that two decoders read differently', () => {
  let front: Front;

  beforeEach(async () => {
    front = await openFront();
  });

  afterEach(async () => {
    await front.close();
  });

  /** Go's decoder takes each of these keys for a known one. */
  const ambiguous: Readonly<Record<string, string>> = {
    'another case at the top': `{"model":"a","MODEL":"b",${MESSAGES}}`,
    'only in another case': `{"Model":"b",${MESSAGES}}`,
    'U+017F for s': '{"model":"a","me\u017f\u017fages":[]}',
    'U+017F written as an escape': String.raw`{"model":"a","\u017ftream":false}`,
    'U+212A for k': '{"model":"a","\u212aeep_alive":0}',
    'in a message': '{"model":"a","messages":[{"role":"user","Content":"x"}]}',
    'in a tool': '{"model":"a","messages":[],"tools":[{"Type":"function","function":{}}]}',
    'in a function': '{"model":"a","messages":[],"tools":[{"function":{"NAME":"x"}}]}',
    'in a tool call':
      '{"model":"a","messages":[{"role":"assistant","tool_calls":[{"Function":{}}]}]}',
    'in a called function':
      '{"model":"a","messages":[{"tool_calls":[{"function":{"argument\u017f":{}}}]}]}',
    'in the options': `{"model":"a",${MESSAGES},"options":{"Num_Predict":5}}`,
  };

  for (const [where, body] of Object.entries(ambiguous)) {
    it(`a known field in another spelling is refused: ${where}`, async () => {
      const client = await postRaw(front.port, '/api/chat', body);
      expect(client.status).to.equal(400);
      expect(front.refusals.map(({ code }) => code)).to.deep.equal(['ambiguous_json']);
      expect(front.calls).to.deep.equal([]);
    });
  }

  it('of duplicate keys the last counts, and only one goes on', async () => {
    const body =
      '{"model":"a","messages":[{"role":"user","content":"one","content":"two"}],"model":"b",' +
      '"messages":[{"role":"user","content":"three","content":"four"}],"options":{"seed":1},"options":{"top_k":2}}';
    const client = await postRaw(front.port, '/api/chat', body);
    expect(client.status).to.equal(200);
    const [call] = front.calls;
    expect(call?.model).to.equal('b');
    expect(call?.options).to.deep.equal({ top_k: 2 });
    expect(Buffer.from(call?.members.bytes ?? []).toString()).to.equal(
      '"messages":[{"role":"user","content":"four"}]',
    );
  });

  const malformed: Readonly<Record<string, string | Uint8Array>> = {
    'bytes after the value': `{"model":"a",${MESSAGES}}{"model":"b"}`,
    'a letter after the value': `{"model":"a",${MESSAGES}} x`,
    'a byte order mark': `\ufeff{"model":"a",${MESSAGES}}`,
    'an invalid UTF-8 byte': Buffer.concat([Buffer.from('{"model":"a\xff"}', 'latin1')]),
    'an overlong encoding': Buffer.from('{"model":"a\xc0\xaf"}', 'latin1'),
    'a surrogate in UTF-8': Buffer.from('{"model":"a\xed\xa0\x80"}', 'latin1'),
    'a lone surrogate as an escape': String.raw`{"model":"a\ud800"}`,
    'a lone surrogate in a message': String.raw`{"model":"a","messages":[{"content":"\udc00"}]}`,
    'a lone surrogate in free-form JSON': String.raw`{"model":"a","messages":[],"format":{"a":"\ud800"}}`,
    'a lone surrogate in a free-form key': String.raw`{"model":"a","messages":[],"format":{"\ud800":1}}`,
    'a number beyond all': '{"model":"a","messages":[],"format":{"a":1e999}}',
    'a raw NUL': '{"model":"a\u0000"}',
    '__proto__ at the top': `{"model":"a","__proto__":{"x":1},${MESSAGES}}`,
    '__proto__ as an escape': String.raw`{"model":"a","\u005f_proto__":{"x":1}}`,
    '__proto__ in a message': '{"model":"a","messages":[{"content":"x","__proto__":{}}]}',
    '__proto__ in free-form JSON': '{"model":"a","messages":[],"format":{"a":[{"__proto__":{}}]}}',
    '__proto__ in an unknown field': `{"model":"a","other":[{"__proto__":1}],${MESSAGES}}`,
    '__proto__ in a field that is dropped': `{"model":"a","_debug_render_only":[{"__proto__":1}],${MESSAGES}}`,
    '__proto__ in the options': `{"model":"a","options":{"__proto__":1},${MESSAGES}}`,
    'a list instead of an object': '[]',
    'a bare text': '"model"',
    null: 'null',
    'blanks alone': '  ',
    'JSON with a comment': `{"model":"a"/**/,${MESSAGES}}`,
    'a hundred thousand brackets': '['.repeat(100_000),
  };

  for (const [what, body] of Object.entries(malformed)) {
    it(`${what} is refused, and pollutes nothing`, async () => {
      const client = await postRaw(front.port, '/api/chat', body);
      expect(client.status).to.equal(400);
      expect(front.refusals.map(({ code }) => code)).to.deep.equal(['invalid_request']);
      expect(Reflect.get({}, 'x')).to.equal(undefined);
    });
  }

  const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
  const inFormat = (depth: number): string =>
    `{"model":"a","messages":[],"format":${nested(depth)}}`;

  it('free-form JSON may be 64 levels deep, no deeper', async () => {
    const deep = await postRaw(front.port, '/api/chat', inFormat(64));
    expect(deep.status).to.equal(200);
    const deeper = await postRaw(front.port, '/api/chat', inFormat(65));
    expect(deeper.status).to.equal(400);
    const deepest = await postRaw(front.port, '/api/chat', inFormat(30_000));
    expect(deepest.status).to.equal(400);
  });

  it('an unknown field may not be a way around the depth', async () => {
    const body = `{"model":"a","other":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
    const client = await postRaw(front.port, '/api/chat', body);
    expect(client.status).to.equal(400);
  });

  const dropped: readonly (readonly [path: string, field: string])[] = [
    ['/api/chat', '_debug_render_only'],
    ['/api/generate', '_debug_render_only'],
    ['/api/show', 'verbose'],
    ['/api/show', 'system'],
    ['/api/show', 'template'],
    ['/api/show', 'options'],
  ];

  for (const [path, field] of dropped) {
    it(`nor may a known one that is dropped: ${field} of ${path}`, async () => {
      for (const value of [nested(65), '{"a":[{"__proto__":1}]}']) {
        const client = await postRaw(front.port, path, `{"model":"a","${field}":${value}}`);
        expect(client.status).to.equal(400);
      }
      const good = await postRaw(front.port, path, `{"model":"a","${field}":${nested(64)}}`);
      expect(good.status).to.equal(200);
    });
  }
});
