import { expect } from 'chai';
import { runBodyTask, toCall } from '../../../lib/http/body-task.ts';

const bytes = Buffer.from('{"model":"m","prompt":"x"}');

const FORM = { route: 'generate', dialect: 'native' } as const;

describe('http/body-task', () => {
  it('a call crosses the border of a thread as data', () => {
    const outcome = structuredClone(
      runBodyTask({ form: FORM, pieces: [bytes.subarray(0, 5), bytes.subarray(5)] }),
    );
    expect(toCall(outcome)).to.include({ route: 'generate', model: 'm' });
  });

  it('a refusal does too, and is thrown again on the other side', () => {
    const wrong = Buffer.from('{"model":"m","prompt":5}');
    const outcome = structuredClone(runBodyTask({ form: FORM, pieces: [wrong] }));
    expect(() => toCall(outcome))
      .to.throw('prompt must be a string')
      .with.deep.property('details', { param: 'prompt' });
  });

  it('what is no refusal is a bug, and stays one', () => {
    const broken = { length: 1 } as Uint8Array;
    Object.defineProperty(broken, 0, {
      get: () => {
        throw new RangeError('broken');
      },
    });
    expect(() => runBodyTask({ form: FORM, pieces: [broken] })).to.throw(RangeError);
  });
});
