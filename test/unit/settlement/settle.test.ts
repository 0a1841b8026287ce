import { expect } from 'chai';
import type { Lease } from '../../../lib/admission/lease.ts';
import type { Entry } from '../../../lib/ledger/entry.ts';
import { makeSettle } from '../../../lib/settlement/settle.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import { recordLog } from '../../support/record-log.ts';
import {
  ADMISSION_ID,
  sampleCall,
  sampleExchange,
  sampleLease,
  samplePrincipal,
  SAMPLE_GRANT,
} from '../../support/sample-request.ts';

const FACTS = {
  principal: samplePrincipal(),
  call: sampleCall(),
  grant: SAMPLE_GRANT,
  lease: sampleLease({ admittedAtMs: 5 }),
  tally: startTally(),
};
const clock = { wallMs: () => 0, monotonicMs: () => 1_250 };

describe('settlement/settle', () => {
  it('puts the entry on its way and waits for nothing', () => {
    const pushed: Entry[] = [];
    const settlements = {
      settle: (entry: Entry) => void pushed.push(entry),
      abandon: () => expect.fail('it can be settled'),
    };
    const { log } = recordLog();
    makeSettle({ settlements, clock, cutAddress: () => null, log })(sampleExchange(), FACTS);
    expect(pushed).to.have.length(1);
    expect(pushed[0]).to.include({ id: ADMISSION_ID, admittedAtMs: 5, durationMs: 250 });
  });

  it('never throws: the pipeline has nobody left to tell', () => {
    const abandoned: Lease[] = [];
    const settlements = {
      settle: () => {
        throw new RangeError('secret');
      },
      abandon: (lease: Lease) => void abandoned.push(lease),
    };
    const { log, lines } = recordLog();
    makeSettle({ settlements, clock, cutAddress: () => null, log })(sampleExchange(), FACTS);
    expect(lines).to.have.length(1);
    expect(abandoned, 'its lease lapses').to.deep.equal([FACTS.lease]);
    expect(lines[0]).to.include({ level: 'error', 'error.type': 'RangeError' });
    expect(JSON.stringify(lines)).not.to.contain('secret');
  });
});
