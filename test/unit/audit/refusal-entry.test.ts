import { expect } from 'chai';
import { toRefusalEntry } from '../../../lib/audit/refusal-entry.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import {
  sampleCall,
  sampleEntry,
  sampleExchange,
  samplePrincipal,
  SAMPLE_GRANT,
} from '../../support/sample-request.ts';

const CONTEXT = {
  admittedAtMs: 1_764_000_000_123,
  endedAtMs: 1_003.7,
  cutAddress: () => '192.0.2.0/24',
};
const refusal = new GatewayError('model_not_allowed', 'text');

describe('audit/refusal-entry', () => {
  it('tells who was refused what, and charges nothing', () => {
    const route = {
      kind: 'inference',
      name: 'chat',
      dialect: 'native',
      upstreamPath: '/api/chat',
    } as const;
    const facts = {
      route,
      principal: samplePrincipal(),
      call: sampleCall(),
      grant: SAMPLE_GRANT,
      refusal: new GatewayError('audit_backlog', 'text'),
    };
    expect(toRefusalEntry(sampleExchange(), facts, CONTEXT)).to.deep.equal(
      sampleEntry({
        status: 503,
        outcome: 'refused',
        refusalCode: 'audit_backlog',
        promptTokens: 0,
        completionTokens: 0,
        chargedTokens: 0,
        countSource: 'none',
        firstTokenMs: null,
        durationMs: 4,
        bytesOut: 0,
      }),
    );
  });

  it('never keeps a model that the caller may not use: its name is a client’s text', () => {
    const facts = {
      principal: samplePrincipal(),
      call: sampleCall({ model: 'my password' }),
      refusal,
    };
    const entry = toRefusalEntry(sampleExchange(), facts, CONTEXT);
    expect(entry).to.include({ model: null, endpoint: 'unknown', status: 403 });
    expect(JSON.stringify(entry)).not.to.contain('password');
  });

  it('names blocked and unknown routes by their kind', () => {
    const blocked = { kind: 'blocked', dialect: 'native' } as const;
    const facts = { route: blocked, principal: samplePrincipal(), refusal };
    const exchange = sampleExchange();
    exchange.response.writeHead(404).flushHeaders();
    expect(toRefusalEntry(exchange, facts, CONTEXT)).to.include({
      endpoint: 'blocked',
      status: 404,
      streamed: false,
    });
  });
});
