import { expect } from 'chai';
import { toChatPieces } from '../../../lib/openai/replies/chat-pieces.ts';
import { toCompletionPieces } from '../../../lib/openai/replies/completion-pieces.ts';
import { describeModel } from '../../../lib/openai/replies/models.ts';
import { rebuildOpenAiEmbeddings } from '../../../lib/openai/replies/rebuild-embeddings.ts';
import { wrapChat } from '../../../lib/openai/replies/wrap-reply.ts';

describe('openai/replies: replies that are not streamed', () => {
  it('a line of a chat tells what it adds and how the reply ended', () => {
    const call = { function: { name: 'f', arguments: { a: 1 } } };
    const line = {
      created_at: '2026-01-01T00:00:00Z',
      message: { content: 'a"', thinking: 'é', tool_calls: [call, call] },
      done: true,
      done_reason: 'stop',
      eval_count: 2,
    };
    const toItem = (index: number): string =>
      `{"index":${index},"id":"c${index}","type":"function","function":{"name":"f","arguments":"{\\"a\\":1}"}}`;
    expect(toChatPieces(line, { first: 4, idPrefix: 'c' })).to.deep.equal({
      facts: {
        failed: false,
        done: true,
        content: true,
        usage: { promptTokens: null, completionTokens: 2 },
      },
      content: 'a\\"',
      thinking: 'é',
      toolCalls: `${toItem(4)},${toItem(5)}`,
      callCount: 2,
      logprobs: '',
      createdS: 1_767_225_600,
      doneReason: 'stop',
    });
  });

  it('a line of a completion tells where the next one begins', () => {
    const logprobs = [
      { token: 'a"', logprob: -1 },
      { token: '🐎', logprob: -2, top_logprobs: [{ token: 'b', logprob: -3 }] },
    ];
    expect(toCompletionPieces({ response: 'a"🐎', logprobs }, 5)).to.deep.include({
      text: 'a\\"🐎',
      tokens: '"a\\"","🐎"',
      tokenLogprobs: '-1,-2',
      topLogprobs: '{},{"b":-3}',
      textOffsets: '5,7',
      nextOffset: 8,
    });
    expect(toCompletionPieces({ response: 'x' }, 5)).to.deep.include({ tokens: '', nextOffset: 5 });
  });

  it('pieces that are bytes stay bytes: nothing large is copied', () => {
    const content = Buffer.from('large');
    const nothing = [Buffer.alloc(0)];
    const reply = {
      id: 'x',
      createdS: 1,
      model: 'm',
      doneReason: null,
      usage: { promptTokens: 1, completionTokens: 2 },
    };
    const body = { content: [content], thinking: nothing, toolCalls: nothing, logprobs: nothing };
    const pieces = wrapChat(reply, body);
    expect(pieces).to.include(content);
    const whole = JSON.parse(Buffer.concat(pieces.map((one) => Buffer.from(one))).toString()) as {
      choices: unknown;
    };
    expect(whole.choices).to.deep.equal([
      { index: 0, message: { role: 'assistant', content: 'large' }, finish_reason: 'stop' },
    ]);
  });

  it('takes nothing else for embeddings', () => {
    const texts = ['{}', '[]', 'x', '{"error":"x"}', '{"embeddings":[1]}', '{"embeddings":{}}'];
    for (const text of [...texts, '{"embeddings":[["1"]]}', '{"embeddings":[[1e999]]}']) {
      for (const encoding of ['float', 'base64'] as const) {
        const bytes = Buffer.from(text);
        expect(rebuildOpenAiEmbeddings(bytes, { model: 'm', encoding, inputs: 1 })).to.equal(null);
      }
    }
  });

  it('takes no embeddings of which a text has none: its client goes by their places', () => {
    const bytes = Buffer.from('{"embeddings":[[1],[2]]}');
    for (const inputs of [1, 3]) {
      const options = { model: 'm', encoding: 'float', inputs } as const;
      expect(rebuildOpenAiEmbeddings(bytes, options)).to.equal(null);
    }
  });

  it('tells the counts of embeddings for the books', () => {
    const bytes = Buffer.from('{"embeddings":[[1]],"prompt_eval_count":9}');
    const reply = rebuildOpenAiEmbeddings(bytes, { model: 'm', encoding: 'float', inputs: 1 });
    expect(reply?.usage).to.deep.equal({ promptTokens: 9, completionTokens: null });
  });

  it('a model is described under the name that the client used', () => {
    const model = { name: 'acme/coder:latest', listed: { modified_at: '2026-01-01T00:00:00Z' } };
    expect(describeModel(model, 'ACME/coder')).to.deep.equal({
      id: 'ACME/coder',
      object: 'model',
      created: 1_767_225_600,
      owned_by: 'acme',
      type: 'model',
      display_name: 'ACME/coder',
      created_at: '2026-01-01T00:00:00Z',
    });
  });
});
