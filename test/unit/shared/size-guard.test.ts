import { expect } from 'chai';
import { makeSizeGuard, SharedFullError } from '../../../lib/shared/size-guard.ts';

describe('shared/size-guard', () => {
  let bytes: number;
  let liveBytes: number;
  let walks: number;
  const size = {
    readBytes: () => bytes,
    readLiveBytes: () => {
      walks += 1;
      return liveBytes;
    },
  };

  beforeEach(() => {
    bytes = 0;
    liveBytes = 0;
    walks = 0;
  });

  it('lets the file grow to what it may spare, and counts no rows until then', () => {
    const requireRoom = makeSizeGuard(size, 1_000);
    for (bytes = 0; bytes <= 1_000; bytes += 100) requireRoom();
    expect(walks).to.equal(0);
    bytes = 1_001;
    expect(requireRoom).to.throw(SharedFullError);
  });

  it('allows four times the rows beside that, and counts them once for each time it is reached', () => {
    const requireRoom = makeSizeGuard(size, 1_000);
    liveBytes = 500;
    bytes = 3_000;
    requireRoom();
    requireRoom();
    expect(walks).to.equal(1);
    bytes = 3_001;
    expect(requireRoom).to.throw(SharedFullError);
    liveBytes = 501;
    requireRoom();
    expect(walks).to.equal(3);
  });

  it('has a name and a code that a log may show', () => {
    bytes = 1;
    expect(makeSizeGuard(size, 0))
      .to.throw(SharedFullError)
      .with.property('code', 'ERR_SHARED_FULL');
  });
});
