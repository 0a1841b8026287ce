import { expect } from 'chai';
import type { Entry } from '../../../lib/ledger/entry.ts';
import { makeSettle } from '../../../lib/settlement/settle.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import { recordLog } from '../../support/record-log.ts';
import {
  ADMISSION_ID,
  sampleCall,
  sampleExchange,
  samplePrincipal,
  SAMPLE_GRANT,
} from '../../support/sample-request.ts';

const FACTS = {
  principal: samplePrincipal(),
  call: sampleCall(),
  grant: SAMPLE_GRANT,
  lease: { admissionId: ADMISSION_ID, admittedAtMs: 5, numPredict: 1 },
  tally: startTally(),
};
const clock = { wallMs: () => 0, monotonicMs: () => 1_250 };

describe('settlement/settle', () => {
  it('puts the entry on its way and waits for nothing', () => {
    const pushed: Entry[] = [];
    const ring = { push: (entry: Entry) => void pushed.push(entry) };
    const { log } = recordLog();
    makeSettle({ ring, clock, cutAddress: () => null, log })(sampleExchange(), FACTS);
    expect(pushed).to.have.length(1);
    expect(pushed[0]).to.include({ id: ADMISSION_ID, admittedAtMs: 5, durationMs: 250 });
  });

  it('never throws: the pipeline has nobody left to tell', () => {
    const ring = {
      push: () => {
        throw new RangeError('secret');
      },
    };
    const { log, lines } = recordLog();
    makeSettle({ ring, clock, cutAddress: () => null, log })(sampleExchange(), FACTS);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ level: 'error', 'error.type': 'RangeError' });
    expect(JSON.stringify(lines)).not.to.contain('secret');
  });
});
