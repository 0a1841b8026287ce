import { expect } from 'chai';
import fc from 'fast-check';
import { readLineFacts } from '../../../lib/ollama/replies/line-facts.ts';
import { takeApart, toFrame, toPieces } from '../../../lib/ollama/replies/line-pieces.ts';
import { mentionsError } from '../../../lib/ollama/replies/mentions-error.ts';
import { readTailUsage } from '../../../lib/ollama/replies/read-tail-usage.ts';
import { listBuffers, runReplyTask } from '../../../lib/relay/reply-task.ts';

describe('ollama/reply-lines', () => {
  it('tells of a line what the gateway wants to know', () => {
    const line = '{"model":"m","response":"x","done":true,"eval_count":3,"context":[1]}';
    expect(readLineFacts(Buffer.from(line))).to.deep.equal({
      failed: false,
      done: true,
      content: true,
      usage: { promptTokens: null, completionTokens: 3 },
    });
    expect(readLineFacts(Buffer.from('{"model":"m","error":null}'))?.failed).to.equal(true);
    expect(readLineFacts(Buffer.from('[]'))).to.equal(null);
  });

  it('finds an error member wherever it stands, and none in text', () => {
    for (let before = 0; before < 5; before += 1) {
      const bytes = Buffer.from(`${'r'.repeat(before)}"error"`);
      expect(mentionsError(bytes)).to.equal(true);
    }
    const text = Buffer.from(JSON.stringify({ model: 'm', response: '{"error":"x"} terror' }));
    expect(mentionsError(text)).to.equal(false);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', 'e', 'r', 'o', '"error"') }), (some) => {
        const bytes = Buffer.from(some);
        expect(mentionsError(bytes)).to.equal(some.includes('"error"'));
      }),
    );
  });

  it('takes a line apart into JSON that needs only to be joined', () => {
    const message = { role: 'assistant', content: 'a"\n🐎', thinking: 'é', tool_calls: [{ f: 1 }] };
    const line = { model: 'm', message, logprobs: [{ l: 1 }, { l: 2 }], done: false };
    expect(toPieces(line)).to.deep.include({
      content: 'a\\"\\n🐎',
      thinking: 'é',
      toolCalls: '{"f":1}',
      logprobs: '{"l":1},{"l":2}',
    });
    expect(toFrame(line)).to.deep.equal({
      rest: '"model":"m","done":false',
      message: '"role":"assistant"',
    });
    const generated = { model: 'm', response: 'x', thinking: 'y', context: [1], logprobs: null };
    expect(toPieces(generated)).to.deep.include({ content: 'x', thinking: 'y', logprobs: '' });
    expect(toFrame(generated)).to.deep.equal({ rest: '"model":"m","context":[1]', message: null });
  });

  it('takes a large one apart into bytes', () => {
    const apart = takeApart(Buffer.from('{"model":"m","message":{"content":"x","thinking":1}}'));
    expect(apart?.content).to.deep.equal(Buffer.from('x'));
    expect(apart?.thinking).to.deep.equal(Buffer.from(''));
    expect(apart?.frame).to.deep.equal({ rest: Buffer.from('"model":"m"'), message: '' });
    expect(takeApart(Buffer.from('{"response":"x"}'))?.frame.message).to.equal(null);
    expect(takeApart(Buffer.from('{'))).to.equal(null);
  });

  it('reads the count at the end of an embedding', () => {
    expect(
      readTailUsage(Buffer.from('0.5]],"load_duration":1,"prompt_eval_count":77}\n')),
    ).to.include({ promptTokens: 77 });
    for (const tail of ['', '0.5]]}', '"prompt_eval_count":77,"x":1}', '"prompt_eval_count":-1}']) {
      expect(readTailUsage(Buffer.from(tail))).to.equal(null);
    }
  });

  it('does on a thread what is asked for', () => {
    const half = '{"embeddings":[[1,';
    const segments = [Buffer.from(half), Buffer.from('2]]}')];
    const form = { dialect: 'native', route: 'embed', inputs: 1 } as const;
    const reply = runReplyTask({ type: 'embed-reply', form, segments });
    expect(reply).to.deep.include({ body: Buffer.from('{"embeddings":[[1,2]]}') });
    const bytes = Buffer.from('{"model":"m","done":true}');
    expect(runReplyTask({ type: 'line-facts', bytes })).to.include({ done: true });
    expect(runReplyTask({ type: 'line-apart', bytes })).to.have.property('frame');
    expect(runReplyTask({ type: 'line-apart', bytes: Buffer.from('x') })).to.equal(null);
  });

  it('moves no buffer that others share', () => {
    const own = new Uint8Array(10);
    const shared = new Uint8Array(20).subarray(5);
    const result = { own, shared, usage: { promptTokens: null }, frame: { rest: own.slice() } };
    expect(listBuffers(result)).to.deep.equal([own.buffer, result.frame.rest.buffer]);
  });
});
