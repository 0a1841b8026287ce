import { expect } from 'chai';
import { chooseModels, chooseRunning } from '../../../lib/discovery/choose-models.ts';
import { listedModel } from './samples.ts';

function chooseKeys(names: readonly string[], allowCloud = false): readonly string[] {
  return chooseModels(
    names.map((name) => listedModel(name)),
    allowCloud,
  ).map(({ key }) => key.replace('registry.ollama.ai/library/', ''));
}

describe('discovery/choose-models', () => {
  it('keys models by their canonical name, in the upstream’s order', () => {
    expect(chooseKeys(['LLaMA3:8B', 'h:1/n/m', 'qwen3'])).to.deep.equal([
      'llama3:8b',
      'h:1/n/m:latest',
      'qwen3:latest',
    ]);
  });

  it('drops what is outside Ollama’s grammar, white space at the ends too', () => {
    const names = [
      '',
      'a b',
      'a\n',
      ' a',
      'a:b:c',
      '../a',
      'a\u0000',
      'x/'.repeat(9),
      'ы',
      'a/b/c/d',
    ];
    expect(chooseKeys(names)).to.deep.equal([]);
  });

  it('drops names that would mean another model when sent back', () => {
    expect(chooseKeys(['a:local', 'a:8b:local'])).to.deep.equal([]);
  });

  it('drops cloud models by name and by manifest, unless they are allowed', () => {
    const names = ['a:cloud', 'a:20b-cloud', 'A:20B-Cloud', 'a'];
    expect(chooseKeys(names)).to.deep.equal(['a:latest']);
    expect(chooseKeys(names, true)).to.deep.equal(['a:cloud', 'a:20b-cloud', 'a:latest']);
    const remote = { ...listedModel('innocent'), remote: true };
    expect(chooseModels([remote], false)).to.deep.equal([]);
    expect(chooseModels([remote], true)[0]?.cloud).to.equal(true);
  });

  it('takes the first of two spellings of one name', () => {
    const chosen = chooseModels([listedModel('A:latest'), listedModel('a')], false);
    expect(chosen.map(({ model }) => model.name)).to.deep.equal(['A:latest']);
  });

  it('takes the first thousand and no more', () => {
    const names = Array.from({ length: 1_500 }, (_, index) => `m${index}`);
    const chosen = chooseKeys(['not a name', ...names]);
    expect(chosen).to.have.length(1_000);
    expect(chosen.at(-1)).to.equal('m999:latest');
  });

  it('keeps of the running ones those that are offered', () => {
    const running = ['A:latest', 'b', 'a:cloud', 'not a name'].map((name) => listedModel(name));
    const offered = new Set(['registry.ollama.ai/library/a:latest']);
    expect(chooseRunning(running, offered)).to.deep.equal([running[0]?.listed]);
  });
});
