import { expect } from 'chai';
import { copyShown, readShow } from '../../../../lib/ollama/models/read-show.ts';

const REPLY = {
  license: 'secret license',
  modelfile: 'FROM /var/lib/ollama/blobs/sha256-1',
  parameters: 'stop    "</s>"\nstop "[/INST]"\ntemperature 0.7',
  template: '{{ .Prompt }} é',
  system: 'secret system',
  details: { family: 'llama', parent_model: '/var/lib/a.gguf' },
  messages: [{ role: 'user', content: 'secret message' }],
  model_info: {
    'general.architecture': 'llama',
    'llama.context_length': 8_192,
    'tokenizer.ggml.tokens': [],
    'tokenizer.chat_template': 'secret template',
    'general.license': 'secret license',
  },
  projector_info: { 'clip.has_vision_encoder': true },
  tensors: [{ name: 'secret tensor' }],
  capabilities: ['completion'],
  modified_at: '2026-01-01T00:00:00Z',
  remote_host: 'secret host',
};

describe('ollama/models/read-show', () => {
  it('shows what a client needs and nothing that is the owner’s', () => {
    expect(readShow(REPLY)?.shown).to.deep.equal({
      parameters: REPLY.parameters,
      details: { family: 'llama', parent_model: '' },
      model_info: {
        'general.architecture': 'llama',
        'llama.context_length': 8_192,
        'tokenizer.ggml.tokens': [],
      },
      projector_info: { 'clip.has_vision_encoder': true },
      capabilities: ['completion'],
      modified_at: '2026-01-01T00:00:00Z',
    });
    expect(JSON.stringify(readShow(REPLY))).not.to.match(/secret|blobs|\/var/);
  });

  it('counts what the model adds to each prompt, in bytes: system, template, messages', () => {
    const own = { system: 'é', template: 'ab' };
    expect(readShow(own)?.ownTextBytes).to.equal(4);
    const message = { role: 'user', content: 'x' };
    const bytes = JSON.stringify(message).length + 8;
    expect(readShow({ ...own, messages: [message, message] })?.ownTextBytes).to.equal(
      4 + 2 * bytes,
    );
    expect(readShow({ system: 1, template: null, messages: {} })?.ownTextBytes).to.equal(0);
  });

  it('tells embedding models by their capability', () => {
    expect(readShow({ capabilities: ['embedding'] })?.embedding).to.equal(true);
    expect(readShow({ capabilities: ['completion'] })?.embedding).to.equal(false);
    expect(readShow({})?.embedding).to.equal(false);
  });

  it('knows what is no reply', () => {
    for (const reply of [null, [], 'x']) expect(readShow(reply)).to.equal(undefined);
  });

  it('drops parameters that hold a path, in whatever form', () => {
    const paths = [
      'adapter /root/x',
      'adapter "/root/x"',
      'x C:\\models',
      'x \\\\host\\share',
      '/root',
      'x ~/models',
      'x file:models',
      'a 1\nb=/root',
    ];
    for (const parameters of paths) {
      expect(copyShown({ parameters }), parameters).to.deep.equal({});
    }
    expect(copyShown({ parameters: 'x'.repeat(9_000) })).to.deep.equal({});
    expect(copyShown({ parameters: 1 })).to.deep.equal({});
  });

  it('drops facts by the names and values that are never shown, at any depth', () => {
    const model_info = {
      a: { chat_template: 'x', System: 'x', b: [{ license: 'x', c: 1 }, '/root', 'C:/x', 'ok'] },
      'x.path': 1,
      '/root': 1,
      file_type: 2,
      note: '  /root/x',
      long: 'x'.repeat(2_000),
      nothing: null,
      yes: true,
      ['__proto__']: { polluted: true },
    };
    const text = JSON.stringify(model_info).replace('"yes"', '"__proto__":{"polluted":true},"yes"');
    expect(copyShown({ model_info: JSON.parse(text) as unknown })).to.deep.equal({
      model_info: { a: { b: [{ c: 1 }, 'ok'] }, file_type: 2, nothing: null, yes: true },
    });
  });

  it('bounds facts in depth, number and length', () => {
    const deep = { a: { b: { c: { d: 1, e: {} } } } };
    expect(copyShown({ model_info: deep })).to.deep.equal({
      model_info: { a: { b: { c: { d: 1 } } } },
    });
    const wide = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`k${index}`, 1]));
    const { model_info } = copyShown({ model_info: wide }) as { model_info: object };
    expect(Object.keys(model_info)).to.have.length(512);
    const list = { list: Array.from({ length: 65 }, () => 1), undef: undefined };
    expect(copyShown({ model_info: list })).to.deep.equal({ model_info: { list: [] } });
  });

  it('gives up facts and parameters where all together is too much for shared memory', () => {
    const model_info = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`k${index}`, 'x'.repeat(1_000)]),
    );
    const reply = {
      model_info,
      parameters: 'a 1',
      capabilities: ['tools'],
      details: { family: 'x' },
    };
    expect(copyShown(reply)).to.deep.equal({
      details: { family: 'x' },
      model_info: {},
      capabilities: ['tools'],
    });
  });

  it('changes nothing of what it gave itself', () => {
    const shown = copyShown(REPLY);
    expect(copyShown(shown)).to.deep.equal(shown);
  });
});
