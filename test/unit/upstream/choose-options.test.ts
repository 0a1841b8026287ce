import { expect } from 'chai';
import { chooseNumCtx, chooseOptions } from '../../../lib/upstream/choose-options.ts';

const PLAIN = { allowRuntimeOptions: false, maxNumCtx: null, numCtx: null, numPredict: 100 };
const ALLOWED = { ...PLAIN, allowRuntimeOptions: true };

describe('upstream/choose-options', () => {
  it('sends sampling options on and our num_predict instead of theirs', () => {
    const asked = { temperature: 0.1, seed: 7, stop: ['x'], num_predict: -1 };
    expect(chooseOptions(asked, PLAIN)).to.deep.equal({
      temperature: 0.1,
      seed: 7,
      stop: ['x'],
      num_predict: 100,
    });
  });

  it('sends no num_predict where nothing is generated', () => {
    expect(chooseOptions({ num_predict: 5 }, { ...PLAIN, numPredict: null })).to.deep.equal({});
  });

  const runtime = {
    num_gpu: 1,
    num_thread: 2,
    num_batch: 3,
    main_gpu: 0,
    use_mmap: true,
  };

  it('drops what reloads a model unless the tenant may', () => {
    expect(chooseOptions(runtime, PLAIN)).to.deep.equal({ num_predict: 100 });
    expect(chooseOptions(runtime, ALLOWED)).to.deep.equal({ ...runtime, num_predict: 100 });
  });

  it('sends the operator’s num_ctx always, whatever was asked', () => {
    for (const rules of [PLAIN, ALLOWED]) {
      expect(chooseNumCtx(999_999, { ...rules, numCtx: 4_096 })).to.equal(4_096);
      expect(chooseNumCtx(undefined, { ...rules, numCtx: 4_096 })).to.equal(4_096);
    }
  });

  it('sends the tenant’s num_ctx only with the permission, and at most its ceiling', () => {
    expect(chooseOptions({ num_ctx: 8_192 }, PLAIN)).to.deep.equal({ num_predict: 100 });
    expect(chooseNumCtx(8_192, ALLOWED)).to.equal(8_192);
    expect(chooseNumCtx(8_192, { ...ALLOWED, maxNumCtx: 2_048 })).to.equal(2_048);
    expect(chooseNumCtx(1_024, { ...ALLOWED, maxNumCtx: 2_048 })).to.equal(1_024);
    expect(chooseOptions({ num_ctx: 64 }, ALLOWED)).to.deep.equal({
      num_ctx: 64,
      num_predict: 100,
    });
  });

  for (const value of [undefined, null, '8192', 3, -1, 2.5, Infinity]) {
    it(`takes ${String(value)} for no num_ctx`, () => {
      expect(chooseNumCtx(value, ALLOWED)).to.equal(null);
    });
  }
});
