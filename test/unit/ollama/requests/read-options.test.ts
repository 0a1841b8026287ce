import { expect } from 'chai';
import { readOptions } from '../../../../lib/ollama/requests/read-options.ts';

describe('ollama/requests/read-options', () => {
  it('keeps every known option and drops unknown ones and nulls', () => {
    const known = {
      num_keep: 4,
      seed: -1,
      num_predict: -2,
      top_k: 40,
      top_p: 0.9,
      min_p: 0,
      typical_p: 1,
      repeat_last_n: 64,
      temperature: 0.8,
      repeat_penalty: 1.1,
      presence_penalty: -0.5,
      frequency_penalty: 0,
      stop: ['a', 'b'],
      num_ctx: 4096,
      num_batch: 512,
      num_gpu: -1,
      main_gpu: 0,
      num_thread: 8,
      use_mmap: true,
    };
    const given = { ...known, mirostat: 1, draft_num_predict: 4, low_vram: null };
    expect(readOptions(given)).to.deep.equal(known);
    expect(readOptions({ seed: null, top_k: 1 })).to.deep.equal({ top_k: 1 });
    expect(readOptions(undefined)).to.deep.equal({});
  });

  for (const [name, value] of [
    ['num_predict', 1.5],
    ['num_predict', '5'],
    ['seed', 2 ** 60],
    ['temperature', '0.5'],
    ['temperature', Infinity],
    ['top_p', true],
    ['use_mmap', 1],
    ['stop', 'x'],
    ['stop', ['x', null]],
    ['num_ctx', [1]],
  ] as const) {
    it(`${name} cannot be ${JSON.stringify(value)}`, () => {
      expect(() => readOptions({ [name]: value })).to.throw(`options.${name}`);
    });
  }
});
