import { expect } from 'chai';
import { makeAdmissionId } from '../../../lib/http/admission-id.ts';

describe('http/admission-id', () => {
  it('is a UUIDv7 that begins with the time', () => {
    const id = makeAdmissionId({ wallMs: () => 0x0123_4567_89ab });
    expect(id).to.match(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('pads a time with a fraction and few digits', () => {
    expect(makeAdmissionId({ wallMs: () => 255.9 })).to.match(/^00000000-00ff-7/);
  });

  it('is never the same twice within a millisecond', () => {
    const ids = Array.from({ length: 10_000 }, () => makeAdmissionId({ wallMs: () => 1 }));
    expect(new Set(ids)).to.have.property('size', ids.length);
  });

  it('later milliseconds sort later', () => {
    const early = makeAdmissionId({ wallMs: () => 1_700_000_000_000 });
    const late = makeAdmissionId({ wallMs: () => 1_700_000_000_001 });
    expect(early < late).to.equal(true);
  });
});
