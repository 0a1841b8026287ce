import { expect } from 'chai';
import { readTags } from '../../../../lib/ollama/models/read-tags.ts';

const ENTRY = {
  name: 'llama3:latest',
  model: 'llama3:latest',
  modified_at: '2026-01-01T00:00:00.123456789+02:00',
  size: 12,
  digest: 'ab12',
  details: {
    parent_model: '',
    format: 'gguf',
    family: 'llama',
    families: ['llama'],
    parameter_size: '8B',
    quantization_level: 'Q4_0',
    context_length: 8_192,
    embedding_length: 4_096,
  },
  capabilities: ['completion', 'tools'],
};

describe('ollama/models/read-tags', () => {
  it('copies every known field as it is', () => {
    expect(readTags({ models: [ENTRY] })).to.deep.equal([
      { name: 'llama3:latest', digest: 'ab12', remote: false, listed: ENTRY },
    ]);
  });

  it('copies nothing else, because a new field may tell what nobody looked at', () => {
    const [model] =
      readTags({
        models: [{ ...ENTRY, path: '/root', details: { ...ENTRY.details, secret: 1 } }],
      }) ?? [];
    expect(model?.listed).to.deep.equal(ENTRY);
  });

  it('leaves out fields that are not of their type, and keeps the model', () => {
    const [model] =
      readTags({
        models: [
          {
            name: 'a',
            digest: 'd',
            modified_at: 1,
            size: -1,
            details: {
              format: {},
              families: null,
              context_length: 1.5,
              parent_model: '/root/a.gguf',
            },
            capabilities: ['tools', 1, 'x'.repeat(65)],
          },
        ],
      }) ?? [];
    expect(model?.listed).to.deep.equal({
      name: 'a',
      model: 'a',
      digest: 'd',
      details: { families: null, parent_model: '' },
      capabilities: ['tools'],
    });
  });

  it('does without details and capabilities, which old servers lack', () => {
    const [model] = readTags({ models: [{ model: 'a', digest: 'd', capabilities: 'x' }] }) ?? [];
    expect(model?.listed).to.deep.equal({ name: 'a', model: 'a', digest: 'd' });
  });

  it('tells a model that lives elsewhere by either of its marks', () => {
    const models = readTags({
      models: [
        { ...ENTRY, remote_host: 'https://ollama.com' },
        { ...ENTRY, remote_model: 'x' },
        { ...ENTRY, remote_host: '', remote_model: '' },
      ],
    });
    expect(models?.map(({ remote }) => remote)).to.deep.equal([true, true, false]);
  });

  it('leaves out entries without a name or a digest', () => {
    const models = [null, 1, [], {}, { name: 'a' }, { digest: 'd' }, { name: 'a', digest: 'a\nb' }];
    const long = { name: 'x'.repeat(2_000), digest: 'd' };
    expect(readTags({ models: [...models, long] })).to.deep.equal([]);
  });

  it('takes null and absence for an empty list, and knows what is no reply', () => {
    expect(readTags({ models: null })).to.deep.equal([]);
    expect(readTags({})).to.deep.equal([]);
    for (const reply of [null, [], 'x', 1, { models: {} }, { models: 'x' }]) {
      expect(readTags(reply)).to.equal(undefined);
    }
  });
});
