import { expect } from 'chai';
import { rebuildEmbed, rebuildEmbeddings } from '../../../../lib/ollama/requests/embed.ts';
import type { NativeRequest } from '../../../../lib/ollama/requests/native-request.ts';

function embed(body: object): NativeRequest {
  return rebuildEmbed(Buffer.from(JSON.stringify({ model: 'm', ...body })));
}

function embeddings(body: object): NativeRequest {
  return rebuildEmbeddings(Buffer.from(JSON.stringify({ model: 'm', ...body })));
}

function text(request: NativeRequest): string {
  return Buffer.from(request.members).toString();
}

describe('ollama/requests/embed', () => {
  it('takes one text or a list, and never streams', () => {
    expect(text(embed({ input: 'é', stream: true }))).to.equal('"input":"é"');
    expect(embed({ input: 'é' }).measure.textBytes).to.equal(2);
    const many = embed({ input: ['a', 'bc'], truncate: false, dimensions: 256 });
    expect(text(many)).to.equal('"input":["a","bc"],"truncate":false,"dimensions":256');
    expect(many.measure).to.include({ textBytes: 3, messages: 2 });
    expect(many).to.include({ streamed: false, idle: null, shift: null });
  });

  it('nothing to embed is a load; a list that holds an empty text is something', () => {
    for (const input of ['', null, [], undefined]) {
      expect(embed({ input }).idle).to.equal('load');
    }
    expect(embed({ input: [], keep_alive: 0 }).idle).to.equal('unload');
    expect(embed({ input: [''] }).idle).to.equal(null);
  });

  it('refuses token ids and other things, and names the field', () => {
    expect(() => embed({ input: [1, 2] })).to.throw('input[0]');
    expect(() => embed({ input: [['x']] })).to.throw('input[0]');
    expect(() => embed({ input: 5 })).to.throw('input must be');
    expect(() => embed({ input: {} })).to.throw('input must be');
    expect(() => embed({ input: 'x', dimensions: '5' })).to.throw('dimensions');
  });

  it('the old form takes one prompt', () => {
    const request = embeddings({ prompt: 'hello', options: { num_ctx: 64 }, truncate: true });
    expect(text(request)).to.equal('"prompt":"hello"');
    expect(request.options).to.deep.equal({ num_ctx: 64 });
    expect(request.idle).to.equal(null);
    expect(embeddings({}).idle).to.equal('load');
    expect(() => embeddings({ prompt: ['x'] })).to.throw('prompt');
  });
});
