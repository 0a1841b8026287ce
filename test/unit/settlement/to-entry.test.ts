import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import type { RefusalCode } from '../../../lib/errors/refusals.ts';
import type { Exchange } from '../../../lib/http/exchange.ts';
import type { Entry } from '../../../lib/ledger/entry.ts';
import { toEntry } from '../../../lib/settlement/to-entry.ts';
import type { SettledFacts } from '../../../lib/settlement/to-entry.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { Tally } from '../../../lib/upstream/tally.ts';
import {
  sampleCall,
  sampleEntry,
  sampleExchange,
  sampleLease,
  samplePrincipal,
  SAMPLE_GRANT,
} from '../../support/sample-request.ts';

const CONTEXT = { endedAtMs: 1_400.4, cutAddress: () => '192.0.2.0/24' };

const facts = (tally: Partial<Tally>, refusal?: RefusalCode): SettledFacts => ({
  principal: samplePrincipal(),
  call: sampleCall(),
  grant: SAMPLE_GRANT,
  lease: sampleLease(),
  tally: { ...startTally(), ...tally },
  ...(refusal === undefined ? {} : { refusal: new GatewayError(refusal, 'text') }),
});

const left = (): Exchange => sampleExchange({ gone: AbortSignal.abort() });

/** An exchange whose head was sent with this status. */
const answered = (status: number): Exchange => {
  const exchange = sampleExchange();
  exchange.response.writeHead(status).flushHeaders();
  return exchange;
};

const entryOf = (exchange: Exchange, settled: SettledFacts): Entry =>
  toEntry(exchange, settled, CONTEXT);

describe('settlement/to-entry', () => {
  it('tells everything that is known of a request that went well', () => {
    const entry = entryOf(
      answered(200),
      facts({
        written: true,
        firstByteAtMs: 1_020.2,
        outputLines: 3,
        bytesOut: 1_234,
        reported: { promptTokens: 12, completionTokens: 34 },
        outcome: 'ok',
      }),
    );
    expect(entry).to.deep.equal(sampleEntry());
  });

  it('gives a client that left before any head 499, which nobody saw, else what it saw', () => {
    expect(entryOf(left(), facts({ written: true }))).to.include({
      status: 499,
      outcome: 'client_gone',
      countSource: 'estimated',
      firstTokenMs: null,
    });
    const sent = { ...answered(200), gone: AbortSignal.abort() };
    expect(entryOf(sent, facts({ written: true }))).to.include({
      status: 200,
      outcome: 'client_gone',
    });
  });

  it('believes the relay before anything else', () => {
    const entry = entryOf(left(), facts({ written: true, outcome: 'upstream_incomplete' }));
    expect(entry.outcome).to.equal('upstream_incomplete');
  });

  it('calls a failure upstream once the request was there, or would not be taken', () => {
    for (const settled of [
      facts({ written: true }, 'invalid_request'),
      facts({ written: false }, 'upstream_error'),
      facts({ written: false }, 'upstream_timeout'),
    ]) {
      expect(entryOf(answered(502), settled)).to.include({
        status: 502,
        outcome: 'upstream_error',
        refusalCode: null,
      });
    }
  });

  for (const code of [
    'upstream_unavailable',
    'overloaded',
    'models_unavailable',
    'draining',
  ] as const) {
    it(`calls ${code} a refusal of ours, free of charge, if the request never went anywhere`, () => {
      const entry = entryOf(answered(503), facts({}, code));
      expect(entry).to.include({
        status: 503,
        outcome: 'refused',
        refusalCode: code,
        chargedTokens: 0,
        countSource: 'none',
      });
    });
  }

  it('takes what we cut for a failure once the upstream had it, and charges for it', () => {
    const entry = entryOf(answered(503), facts({ written: true }, 'draining'));
    expect(entry).to.include({
      status: 503,
      outcome: 'upstream_error',
      refusalCode: null,
      countSource: 'estimated',
    });
    expect(entry.chargedTokens).to.be.greaterThan(0);
  });

  it('tells of a revocation that ended it, and charges what came until then', () => {
    const cutFor = 'revoked' as const;
    const relayed = facts({ written: true, outcome: 'upstream_error', cutFor });
    expect(entryOf(answered(200), relayed)).to.include({
      status: 200,
      outcome: 'revoked',
      refusalCode: null,
      countSource: 'estimated',
    });
    const waited = facts({ written: true, cutFor }, 'invalid_api_key');
    expect(entryOf(answered(401), waited)).to.include({ outcome: 'revoked', refusalCode: null });
    const unsent = facts({ cutFor }, 'invalid_api_key');
    expect(entryOf(answered(401), unsent)).to.include({ outcome: 'revoked', chargedTokens: 0 });
  });

  it('tells of the revocation whatever became of the client after it', () => {
    const cutFor = 'revoked' as const;
    for (const outcome of ['client_gone', 'upstream_error', null] as const) {
      const cut = facts({ written: true, outcome, cutFor });
      expect(entryOf({ ...answered(200), gone: AbortSignal.abort() }, cut)).to.include({
        outcome: 'revoked',
        refusalCode: null,
      });
    }
  });

  it('takes our own want of room for a refusal although the upstream worked, and charges it', () => {
    const entry = entryOf(answered(503), facts({ written: true }, 'overloaded'));
    expect(entry).to.include({ outcome: 'refused', refusalCode: 'overloaded' });
    expect(entry.chargedTokens).to.be.greaterThan(0);
  });

  it('takes a client for gone only if it left, whatever was refused then', () => {
    for (const code of ['request_timeout', 'draining'] as const) {
      expect(entryOf(left(), facts({}, code)).outcome).to.equal('client_gone');
    }
  });

  it('takes one that we cut before it went anywhere for refused, though its connection was closed', () => {
    const entry = entryOf(left(), facts({ cutFor: 'draining' }));
    expect(entry).to.include({ outcome: 'refused', refusalCode: 'draining', chargedTokens: 0 });
  });

  it('takes a request without a word against it for a good one', () => {
    expect(entryOf(answered(200), facts({ written: true })).outcome).to.equal('ok');
  });
});
