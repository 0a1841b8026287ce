import { expect } from 'chai';
import fc from 'fast-check';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { PLAIN_FACTS } from '../../../lib/openai/replies/frames.ts';
import type { Frames } from '../../../lib/openai/replies/frames.ts';
import { KEEP_ALIVE, toErrorFrame } from '../../../lib/openai/replies/sse.ts';
import { parseFrames } from '../../support/openai-reply-cases.ts';
import { openFrames } from '../../support/play-openai-reply.ts';

type Endpoint = 'chat' | 'completion';

const ENDPOINTS: readonly Endpoint[] = ['chat', 'completion'];
const CREATED_AT = '2026-01-01T00:00:00.123456789Z';

function toLine(
  endpoint: Endpoint,
  content: unknown,
  more: object = {},
  last: object = {},
): string {
  const body =
    endpoint === 'chat'
      ? { message: { role: 'assistant', content, ...more } }
      : { response: content, ...more };
  return JSON.stringify({ model: 'm:1', created_at: CREATED_AT, ...body, done: false, ...last });
}

/** A stream of which the first line was sent. */
function openBegun(endpoint: Endpoint, includeUsage = false): Frames {
  const frames = openFrames(endpoint, includeUsage);
  frames.frame(toLine(endpoint, 'first'));
  return frames;
}

/** Whatever passes unread must be what parsing makes of it. True if it passed. */
function comparePaths(endpoint: Endpoint, text: string, includeUsage = false): boolean {
  const plain = openBegun(endpoint, includeUsage).framePlain(text);
  if (plain === null) return false;
  const parsed = openBegun(endpoint, includeUsage).frame(text);
  expect(parsed).to.deep.equal({ frames: plain, facts: PLAIN_FACTS });
  return true;
}

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\u007f', '\u2028', '}', '{', ',', 'é'),
  }),
);

describe('openai/replies: lines that pass unread', () => {
  for (const endpoint of ENDPOINTS) {
    it(`content that need not be escaped passes a ${endpoint} unread, as it would parsed`, () => {
      fc.assert(
        fc.property(anyText, fc.boolean(), (content, includeUsage) => {
          const isSafe =
            JSON.stringify(content) === `"${content}"` && !/[\u2028\u2029]/.test(content);
          const passes = content !== '' && isSafe;
          const text = toLine(endpoint, content);
          expect(comparePaths(endpoint, text, includeUsage)).to.equal(passes);
          expect(comparePaths(endpoint, `${text}\n`, includeUsage)).to.equal(passes);
        }),
        { numRuns: 1_000 },
      );
    });

    it(`a line of a ${endpoint} with anything else in it is parsed`, () => {
      const member = fc.constantFrom('thinking', 'tool_calls', 'images', 'name', 'error');
      const value = fc.oneof(fc.jsonValue(), anyText);
      fc.assert(
        fc.property(anyText, member, value, (content, name, some) => {
          expect(comparePaths(endpoint, toLine(endpoint, content, { [name]: some }))).to.equal(
            false,
          );
          expect(comparePaths(endpoint, toLine(endpoint, content, {}, { [name]: some }))).to.equal(
            false,
          );
        }),
      );
    });

    it(`a damaged line of a ${endpoint} is never taken for another one`, () => {
      const line = toLine(endpoint, 'some content');
      const damage = fc.record({
        at: fc.nat(line.length),
        cut: fc.nat(12),
        put: fc.oneof(anyText, fc.constantFrom('"error":1,', '"done":true,', '\u0001', '\\')),
      });
      let passed = 0;
      fc.assert(
        fc.property(damage, ({ at, cut, put }) => {
          const text = line.slice(0, at) + put + line.slice(at + cut);
          if (comparePaths(endpoint, text)) passed += 1;
        }),
        { numRuns: 3_000 },
      );
      expect(passed).to.be.above(0);
    });

    it(`nothing of a ${endpoint} passes unread before the first line or after the last`, () => {
      const plain = toLine(endpoint, 'x');
      const frames = openFrames(endpoint, false);
      expect(frames.framePlain(plain)).to.equal(null);
      frames.frame(plain);
      expect(frames.framePlain(plain)).to.be.a('string');
      expect(frames.frame(toLine(endpoint, '', {}, { done: true }))?.frames).to.match(
        /data: \[DONE\]\n\n$/,
      );
      expect(frames.framePlain(plain)).to.equal(null);
      expect(frames.frame(plain)?.frames).to.equal('');
    });

    it(`whatever object a line of a ${endpoint} is, it becomes whole frames`, () => {
      const object = fc.dictionary(
        fc.constantFrom('message', 'response', 'done', 'done_reason', 'logprobs', 'created_at'),
        fc.jsonValue(),
      );
      fc.assert(
        fc.property(fc.array(object, { maxLength: 5 }), (lines) => {
          const frames = openFrames(endpoint, true);
          for (const line of lines) {
            const framed = frames.frame(JSON.stringify(line));
            expect(() => parseFrames(framed?.frames ?? '?')).not.to.throw();
          }
        }),
      );
    });

    it(`what is no object is no line of a ${endpoint}`, () => {
      for (const text of ['', 'x', '[]', 'null', '"a"', '1', '{"model":"m"', '{}x']) {
        expect(openBegun(endpoint).frame(text)).to.equal(null);
      }
    });
  }

  it('a line that belongs to the other endpoint is parsed', () => {
    expect(openBegun('chat').framePlain(toLine('completion', 'x'))).to.equal(null);
    expect(openBegun('completion').framePlain(toLine('chat', 'x'))).to.equal(null);
  });

  it('the facts of a line are told with its frames', () => {
    const last = { done: true, done_reason: 'stop', prompt_eval_count: 7, eval_count: 3 };
    expect(openBegun('chat').frame(toLine('chat', '', {}, last))?.facts).to.deep.equal({
      failed: false,
      done: true,
      content: false,
      usage: { promptTokens: 7, completionTokens: 3 },
    });
    expect(openBegun('chat').frame('{"error":"secret"}')).to.deep.include({ frames: '' });
  });

  it('arguments that are too deep to be written are no line, instead of an exception', () => {
    const depth = 100_000;
    const deep = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const call = `{"function":{"name":"f","arguments":${deep}}}`;
    const line = `{"message":{"content":"","tool_calls":[${call}]},"done":false}`;
    const frames = openBegun('chat');
    expect(frames.frame(line)).to.equal(null);
    expect(frames.state).to.include({ sent: 0, finished: false });
  });
});

describe('openai/replies: frames of our own', () => {
  it('a failure is an error frame in OpenAI form', () => {
    const error = new GatewayError('upstream_timeout', 'It took\ntoo long.');
    expect(toErrorFrame(error)).to.equal(
      'data: {"error":{"message":"It took\\ntoo long.","type":"api_error","param":null,"code":"upstream_timeout"}}\n\n',
    );
  });

  it('a sign of life is a comment', () => {
    expect(KEEP_ALIVE).to.equal(': keep-alive\n\n');
  });
});
