import { expect } from 'chai';
import { rebuildGenerate } from '../../../../lib/ollama/requests/generate.ts';
import type { NativeRequest } from '../../../../lib/ollama/requests/native-request.ts';

function rebuild(body: unknown): NativeRequest {
  return rebuildGenerate(Buffer.from(JSON.stringify(body)));
}

function members(body: unknown): unknown {
  return JSON.parse(`{${Buffer.from(rebuild(body).members).toString()}}`);
}

describe('ollama/requests/generate', () => {
  it('known fields go on as they are, and nothing else does', () => {
    const kept = {
      prompt: 'def f(',
      suffix: ')',
      system: 'code',
      template: '{{ .Prompt }}',
      context: [1, 2, 300],
      images: ['QUJD'],
      format: 'json',
      think: false,
      raw: true,
      truncate: true,
      logprobs: false,
      top_logprobs: 0,
    };
    const body = { ...kept, model: 'm', stream: false, _debug_render_only: true, width: 512 };
    expect(members(body)).to.deep.equal(kept);
    expect(rebuild(body)).to.include({ streamed: false, idle: null, shift: null, keepAlive: null });
    expect(rebuild(body).measure).to.deep.equal({
      textBytes: 'def f()code{{ .Prompt }}json'.length,
      messages: 0,
      images: 1,
      contextNumbers: 3,
      template: true,
    });
  });

  it('an empty prompt is a load, or an unload; images alone are no prompt', () => {
    expect(rebuild({ model: 'm' }).idle).to.equal('load');
    expect(rebuild({ model: 'm', prompt: '', images: ['QUJD'] }).idle).to.equal('load');
    expect(rebuild({ model: 'm', prompt: '', keep_alive: 0 }).idle).to.equal('unload');
    expect(rebuild({ model: 'm', prompt: ' ', keep_alive: 0 }).idle).to.equal(null);
  });

  const wrong = [
    { prompt: ['x'] },
    { suffix: 1 },
    { system: {} },
    { template: true },
    { context: [1, 'x'] },
    { context: [1.5] },
    { context: 'x' },
    { images: [null] },
    { raw: 'yes' },
    { keep_alive: true },
  ];
  for (const part of wrong) {
    it(`${JSON.stringify(part)} is refused and named`, () => {
      const [field = ''] = Object.keys(part);
      expect(() => rebuild({ model: 'm', ...part })).to.throw(field);
    });
  }
});
