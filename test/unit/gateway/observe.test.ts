import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { observe } from '../../../lib/gateway/observe.ts';
import type { Facts } from '../../../lib/gateway/stages.ts';
import type { Exchange } from '../../../lib/http/exchange.ts';
import type { LineLimit } from '../../../lib/log/line-limit.ts';
import type { AuthResult, FinishedRequest } from '../../../lib/metrics/worker-metrics.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import { recordLog } from '../../support/record-log.ts';
import type { RecordedLine } from '../../support/record-log.ts';
import {
  ADMISSION_ID,
  sampleCall,
  sampleEntry,
  sampleExchange,
  sampleLease,
  samplePrincipal,
  SAMPLE_GRANT,
} from '../../support/sample-request.ts';

interface Observed {
  readonly lines: readonly RecordedLine[];
  readonly counted: readonly FinishedRequest[];
  readonly results: readonly AuthResult[];
}

const FREE: LineLimit = { take: () => 0 };

function observeOne(
  facts: Partial<Facts>,
  exchange: Exchange = answered(200),
  strangers: LineLimit = FREE,
): Observed {
  const { log, lines } = recordLog();
  const counted: FinishedRequest[] = [];
  const results: AuthResult[] = [];
  observe(
    {
      log,
      metrics: {
        countRequest: (request) => counted.push(request),
        countAuth: (result) => results.push(result),
      },
      clock: { wallMs: () => 0, monotonicMs: () => 1_250.4 },
      strangers,
      cutAddress: () => '192.0.2.0/24',
    },
    exchange,
    { tally: startTally(), ...facts },
  );
  return { lines, counted, results };
}

/** An exchange whose head has left. */
function answered(status: number): Exchange {
  const exchange = sampleExchange();
  exchange.response.writeHead(status);
  exchange.response.flushHeaders();
  return exchange;
}

const served: Partial<Facts> = {
  route: { kind: 'inference', name: 'chat', dialect: 'native', upstreamPath: '/api/chat' },
  principal: samplePrincipal(),
  call: sampleCall(),
  grant: SAMPLE_GRANT,
  lease: sampleLease(),
  entry: sampleEntry(),
};

describe('gateway/observe', () => {
  it('writes one line with all that is known of a served request, and counts it', () => {
    const { lines, counted } = observeOne(served);
    expect(counted).to.deep.equal([
      {
        tenant: 'acme',
        model: 'llama3:latest',
        status: 200,
        durationMs: 250.4000000000001,
        refusal: undefined,
        usage: served.entry,
      },
    ]);
    expect(lines).to.deep.equal([
      {
        level: 'info',
        message: 'request',
        event: 'request',
        request_id: ADMISSION_ID,
        'http.route': 'chat',
        'http.response.status_code': 200,
        'client.address': '192.0.2.0/24',
        'error.type': undefined,
        'gen_ai.request.model': 'llama3:latest',
        'nzgw.dialect': 'native',
        'nzgw.tenant': 'acme',
        'nzgw.key': 'AAAAAAAAAAAA',
        'nzgw.stream': true,
        'nzgw.duration_ms': 250,
        'gen_ai.usage.input_tokens': 12,
        'gen_ai.usage.output_tokens': 34,
        'nzgw.usage_source': 'reported',
        'nzgw.outcome': 'ok',
        'nzgw.ttft_ms': 20,
      },
    ]);
  });

  it('counts a probe and does not log it', () => {
    const route = { kind: 'open', name: 'healthz', dialect: 'native' } as const;
    const { lines, counted } = observeOne({ route });
    expect(lines).to.deep.equal([]);
    expect(counted).to.have.length(1);
    expect(counted[0]).to.include({ tenant: undefined, model: undefined, status: 200 });
  });

  it('names a route without a name by its kind, never by the target of the client', () => {
    const { lines } = observeOne({ route: { kind: 'unknown', dialect: 'openai' } });
    expect(lines[0]).to.include({ 'http.route': 'unknown' });
    expect(observeOne({}).lines[0]).to.include({ 'http.route': undefined });
  });

  it('names a refusal by its code', () => {
    const refusal = new GatewayError('invalid_api_key', 'text');
    const { lines } = observeOne({ refusal }, answered(401));
    expect(lines[0]).to.include({ 'error.type': 'invalid_api_key' });
    expect(JSON.stringify(lines)).to.not.include('text');
  });

  it('a refused key is a result of authentication; what comes after it is none', () => {
    const refused = new GatewayError('overloaded', 'text');
    expect(observeOne({ refusal: refused }, answered(503)).results).to.deep.equal(['overloaded']);
    const later = { principal: samplePrincipal(), refusal: refused };
    expect(observeOne(later, answered(503)).results).to.deep.equal([]);
    const suspended = new GatewayError('tenant_suspended', 'text');
    const known = { principal: samplePrincipal(), refusal: suspended };
    expect(observeOne(known, answered(403)).results).to.deep.equal(['tenant_suspended']);
    const other = new GatewayError('not_found', 'text');
    expect(observeOne({ refusal: other }, answered(404)).results).to.deep.equal([]);
  });

  it('no tokens are counted of a request that was not admitted, whatever the audit has of it', () => {
    const { lease, ...rest } = served;
    expect(lease).to.not.equal(undefined);
    expect(observeOne(rest, answered(429)).counted[0]?.usage).to.equal(undefined);
  });

  it('a client that left before any answer counts as 499', () => {
    const { lines, counted } = observeOne(served, sampleExchange());
    expect(counted[0]?.status).to.equal(499);
    expect(lines[0]).to.include({ 'http.response.status_code': 499 });
  });

  it('a flood of strangers is counted in full, its lines are bounded, the gap is told', () => {
    const silent = observeOne({}, answered(401), { take: () => undefined });
    expect(silent.lines).to.deep.equal([]);
    expect(silent.counted).to.have.length(1);
    const after = observeOne({}, answered(401), { take: () => 7 });
    expect(after.lines[0]).to.include({ 'nzgw.unsaid': 7 });
    expect(observeOne({}).lines[0]).to.not.have.property('nzgw.unsaid');
  });

  it('the bound is for strangers alone', () => {
    const { lines } = observeOne(served, answered(200), { take: () => undefined });
    expect(lines).to.have.length(1);
  });
});
