import { expect } from 'chai';
import { buildUpstreamBody } from '../../../lib/upstream/request-body.ts';
import type { UpstreamBodyParts } from '../../../lib/upstream/request-body.ts';

describe('upstream/request-body', () => {
  function build(
    call: Partial<UpstreamBodyParts['call']>,
    parts: Partial<UpstreamBodyParts> = {},
  ): string {
    const members = Buffer.from('"messages":[{"role":"user","content":"ž"}]');
    return buildUpstreamBody({
      call: { route: 'chat', members, keepAlive: null, shift: null, ...call },
      modelName: 'llama3:latest',
      options: { num_predict: 5 },
      allowRuntimeOptions: false,
      ...parts,
    }).toString();
  }

  it('streams chat and generate, and puts the checked members between ours', () => {
    expect(build({})).to.equal(
      '{"model":"llama3:latest","stream":true,"messages":[{"role":"user","content":"ž"}],' +
        '"options":{"num_predict":5}}',
    );
    expect(JSON.parse(build({ route: 'generate' }))).to.include({ stream: true });
  });

  it('does not stream embeddings, and leaves out empty options', () => {
    for (const route of ['embed', 'embeddings'] as const) {
      const members = Buffer.from('"input":"a"');
      expect(build({ route, members }, { options: {} })).to.equal(
        '{"model":"llama3:latest","input":"a"}',
      );
    }
  });

  it('is one JSON object without members too', () => {
    expect(build({ members: new Uint8Array() })).to.equal(
      '{"model":"llama3:latest","stream":true,"options":{"num_predict":5}}',
    );
  });

  it('escapes the model’s name', () => {
    expect(JSON.parse(build({}, { modelName: 'a"b' }))).to.include({ model: 'a"b' });
  });

  it('sends keep_alive and shift only with the permission', () => {
    const call = { keepAlive: '5m', shift: false };
    expect(build(call)).not.to.match(/keep_alive|shift/);
    const allowed = JSON.parse(build(call, { allowRuntimeOptions: true })) as object;
    expect(allowed).to.include({ keep_alive: '5m', shift: false });
    expect(build({}, { allowRuntimeOptions: true })).not.to.match(/keep_alive|shift/);
    expect(build({ keepAlive: 0 }, { allowRuntimeOptions: true })).to.contain('"keep_alive":0');
  });
});
