import { expect } from 'chai';
import {
  hasContent,
  isDone,
  isErrorLine,
  isPlainLine,
  parseLine,
} from '../../../lib/ollama/replies/parse-line.ts';
import { MAX_COUNT, readUsage } from '../../../lib/ollama/replies/read-usage.ts';
import { rebuildEmbedReply } from '../../../lib/ollama/replies/rebuild-embed-reply.ts';

describe('ollama/replies', () => {
  it('knows a line of content by its first bytes', () => {
    expect(isPlainLine(Buffer.from('{"model":"x"}'))).to.equal(true);
    expect(isPlainLine(Buffer.from('..{"model":'), 2)).to.equal(true);
    for (const text of ['', '{"model"', '{"error":"x"}', ' {"model":"x"}', '{"Model":"x"}']) {
      expect(isPlainLine(Buffer.from(text))).to.equal(false);
    }
  });

  it('reads a line that is an object, and nothing else', () => {
    expect(parseLine(Buffer.from('{"a":1}\n'))).to.deep.equal({ a: 1 });
    for (const text of ['', '\n', '[]', 'null', '1', '"x"', '{"a":1}x', '{']) {
      expect(parseLine(Buffer.from(text))).to.equal(null);
    }
  });

  it('knows an error line whatever the error is', () => {
    expect(isErrorLine({ error: null })).to.equal(true);
    expect(isErrorLine({ message: {} })).to.equal(false);
  });

  it('takes done, or a reason, for the end', () => {
    expect(isDone({ done: true })).to.equal(true);
    expect(isDone({ done: false, done_reason: 'stop' })).to.equal(true);
    for (const line of [{}, { done: false }, { done: 'true' }, { done_reason: '' }]) {
      expect(isDone(line)).to.equal(false);
    }
  });

  it('knows what adds to a reply', () => {
    const some = [
      { response: 'x' },
      { thinking: 'x' },
      { tool_calls: [{}] },
      { message: { content: 'x' } },
      { message: { content: '', thinking: 'x' } },
      { message: { tool_calls: [{}] } },
    ];
    for (const line of some) expect(hasContent(line)).to.equal(true);
    const none = [{}, { response: '' }, { message: null }, { message: { content: '' } }];
    for (const line of none) expect(hasContent(line)).to.equal(false);
  });

  it('believes no count that is none', () => {
    expect(readUsage({ prompt_eval_count: 3, eval_count: 0 })).to.deep.equal({
      promptTokens: 3,
      completionTokens: 0,
    });
    for (const value of [undefined, null, '3', -1, NaN, -Infinity, {}, true]) {
      expect(readUsage({ eval_count: value }).completionTokens).to.equal(null);
    }
    expect(readUsage({ eval_count: 1.2 }).completionTokens).to.equal(2);
    for (const value of [1e300, Infinity, MAX_COUNT + 1]) {
      expect(readUsage({ eval_count: value }).completionTokens).to.equal(MAX_COUNT);
    }
  });

  it('rebuilds embeddings from known fields', () => {
    const reply = rebuildEmbedReply(
      { route: 'embed', inputs: 1 },
      Buffer.from(
        '{"model":"m","embeddings":[[1,2]],"prompt_eval_count":3,"x":1,"load_duration":"y"}',
      ),
    );
    expect(JSON.parse(Buffer.from(reply?.body ?? []).toString())).to.deep.equal({
      model: 'm',
      embeddings: [[1, 2]],
      prompt_eval_count: 3,
    });
    expect(reply?.usage.promptTokens).to.equal(3);
    const loaded = rebuildEmbedReply(
      { route: 'embed', inputs: 0 },
      Buffer.from('{"embeddings":[]}'),
    );
    expect(Buffer.from(loaded?.body ?? []).toString()).to.equal('{"embeddings":[]}');
  });

  it('takes nothing else for an embedding', () => {
    for (const text of ['{"embeddings":[[1,"2"]]}', '{"embeddings":[1]}', '{"error":"x"}', '[]']) {
      for (const route of ['embed', 'embeddings'] as const) {
        expect(rebuildEmbedReply({ route, inputs: 1 }, Buffer.from(text))).to.equal(null);
      }
    }
  });

  it('takes no reply that has not a vector for each text', () => {
    const bytes = Buffer.from('{"embeddings":[[1],[2]]}');
    for (const inputs of [1, 3]) {
      expect(rebuildEmbedReply({ route: 'embed', inputs }, bytes)).to.equal(null);
    }
  });
});
