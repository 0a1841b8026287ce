import { expect } from 'chai';
import { makeAudit } from '../../../lib/audit/audit.ts';
import type { AuditParts } from '../../../lib/audit/audit.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import type { Entry } from '../../../lib/ledger/entry.ts';
import { recordLog } from '../../support/record-log.ts';
import { sampleExchange, samplePrincipal, TENANT_ID } from '../../support/sample-request.ts';

const clock = { wallMs: () => 7_000, monotonicMs: () => 1_010 };
const FACTS = {
  principal: samplePrincipal(),
  refusal: new GatewayError('not_found', 'text'),
};

function makeParts(estimateMs: number | null, push: (entry: Entry) => void): AuditParts {
  const ledger = {
    estimateTimeMs: (tenantId: string) => (tenantId === TENANT_ID ? estimateMs : expect.fail()),
  };
  return { ring: { push }, ledger, clock, cutAddress: () => null, log: recordLog().log };
}

describe('audit/audit', () => {
  it('gives a refusal Redis’s time, or the host’s while Redis has not been heard', () => {
    const pushed: Entry[] = [];
    const push = (entry: Entry): void => {
      pushed.push(entry);
    };
    makeAudit(makeParts(9_000, push))(sampleExchange(), FACTS);
    makeAudit(makeParts(null, push))(sampleExchange(), FACTS);
    expect(pushed.map((entry) => entry.admittedAtMs)).to.deep.equal([9_000, 7_000]);
  });

  it('keeps nothing of a request without a proved key or without a refusal', () => {
    const pushed: Entry[] = [];
    const audit = makeAudit(makeParts(1, (entry) => void pushed.push(entry)));
    audit(sampleExchange(), { refusal: FACTS.refusal });
    audit(sampleExchange(), { principal: FACTS.principal });
    expect(pushed).to.have.length(0);
  });

  it('never throws', () => {
    const { log, lines } = recordLog();
    const parts = makeParts(1, () => {
      throw new TypeError('secret');
    });
    makeAudit({ ...parts, log })(sampleExchange(), FACTS);
    expect(lines[0]).to.include({ level: 'error', 'error.type': 'TypeError' });
  });
});
