import { expect } from 'chai';
import { readRunning } from '../../../../lib/ollama/models/read-running.ts';

const ENTRY = {
  name: 'a:latest',
  model: 'a:latest',
  size: 1,
  digest: 'd',
  details: { family: 'llama' },
  expires_at: '2318-01-01T00:00:00Z',
  size_vram: 2,
  context_length: 4_096,
};

describe('ollama/models/read-running', () => {
  it('copies the known fields and nothing else', () => {
    expect(readRunning({ models: [{ ...ENTRY, pid: 1 }] })).to.deep.equal([
      { name: 'a:latest', listed: ENTRY },
    ]);
  });

  it('leaves out entries without a name', () => {
    expect(readRunning({ models: [null, {}, { name: 1 }, { model: 'b' }] })).to.deep.equal([
      { name: 'b', listed: { name: 'b', model: 'b' } },
    ]);
  });

  it('takes absence for an empty list, and knows what is no reply', () => {
    expect(readRunning({})).to.deep.equal([]);
    expect(readRunning('x')).to.equal(undefined);
    expect(readRunning({ models: 1 })).to.equal(undefined);
  });
});
