import { expect } from 'chai';
import { makeDropNotice } from '../../../lib/audit/drop-notice.ts';
import { recordLog } from '../../support/record-log.ts';

describe('audit/drop-notice', () => {
  it('warns of the first at once, then once a minute of all that came since', () => {
    const { log, lines } = recordLog();
    let nowMs = 0;
    const note = makeDropNotice({ wallMs: () => 0, monotonicMs: () => nowMs }, log);
    for (const atMs of [0, 1, 59_999, 60_000, 60_001, 119_999, 500_000]) {
      nowMs = atMs;
      note();
    }
    expect(lines.map(({ dropped }) => dropped)).to.deep.equal([1, 3, 3]);
    expect(lines[0]).to.include({ level: 'warn', event: 'refusals_dropped' });
  });
});
