import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { refuse } from '../../../lib/gateway/refuse.ts';
import type { RefusedFacts } from '../../../lib/gateway/refuse.ts';
import { openFront } from '../../support/open-front.ts';
import { recordLog } from '../../support/record-log.ts';
import type { RecordedLine } from '../../support/record-log.ts';
import { sampleLease } from '../../support/sample-request.ts';

interface Refused {
  readonly status: number;
  readonly body: unknown;
  readonly id: string | null;
  readonly headers: Headers;
  readonly refusal: GatewayError | undefined;
  readonly lines: readonly RecordedLine[];
}

/** Refuses one real request with an error. */
async function refuseWith(error: unknown, facts?: RefusedFacts): Promise<Refused> {
  const { log, lines } = recordLog();
  let refusal: GatewayError | undefined;
  const front = await openFront({
    onExchange: (exchange) => {
      refusal = refuse(exchange, error, log, facts);
      return Promise.resolve();
    },
  });
  const response = await fetch(`http://127.0.0.1:${front.port}/api/tags`);
  const body: unknown = await response.json();
  await front.close();
  return {
    status: response.status,
    body,
    id: response.headers.get('request-id'),
    headers: response.headers,
    refusal,
    lines,
  };
}

describe('gateway/refuse', () => {
  it('a refusal made on purpose is told as it is, and is nothing for the error log', async () => {
    const error = new GatewayError('model_not_allowed', 'This key may not use that model.');
    const { status, body, refusal, lines } = await refuseWith(error);
    expect(status).to.equal(403);
    expect(body).to.deep.equal({ error: 'This key may not use that model.' });
    expect(refusal).to.equal(error);
    expect(lines).to.deep.equal([]);
  });

  it('tells what is left of limits, of an admitted request what it was granted too', async () => {
    const left = ['x-ratelimit-remaining-requests', '3'];
    const refused = new GatewayError('budget_held', 'text', { headers: left });
    const { headers } = await refuseWith(refused);
    expect(headers.get('x-ratelimit-remaining-requests')).to.equal('3');
    expect(headers.get('x-nzgw-max-tokens')).to.equal(null);

    const failed = new GatewayError('upstream_error', 'text');
    const chat = await refuseWith(failed, { lease: sampleLease({ headers: left }) });
    expect(chat.headers.get('x-ratelimit-remaining-requests')).to.equal('3');
    expect(chat.headers.get('x-nzgw-max-tokens')).to.equal('100');
    const embed = await refuseWith(failed, {
      lease: sampleLease({ numPredict: null, headers: left }),
    });
    expect(embed.headers.get('x-ratelimit-remaining-requests')).to.equal('3');
    expect(embed.headers.get('x-nzgw-max-tokens')).to.equal(null);
  });

  it('asks libraries not to repeat what the model has worked for', async () => {
    const asked = async (code: 'upstream_error' | 'upstream_timeout', outputLines: number) => {
      const { headers } = await refuseWith(new GatewayError(code, 'text'), {
        tally: { outputLines, bytesOut: 0 },
      });
      return headers.get('x-should-retry');
    };
    expect(await asked('upstream_error', 0)).to.equal(null);
    expect(await asked('upstream_error', 1)).to.equal('false');
    expect(await asked('upstream_timeout', 0)).to.equal('false');
  });

  it('a key that was revoked while its request ran is refused as any other that is not valid', async () => {
    const refused = await refuseWith(new GatewayError('revoked', 'The API key was revoked.'));
    expect(refused.status).to.equal(401);
    expect(refused.refusal?.code).to.equal('invalid_api_key');
  });

  it('an unknown error is a 500 that tells nothing, logged by id, class and place', async () => {
    const error = Object.assign(new TypeError('postgres://user:hunter2@db'), { code: 'E_ODD' });
    const { status, body, id, refusal, lines } = await refuseWith(error);
    expect(status).to.equal(500);
    expect(refusal?.code).to.equal('internal_error');
    expect(JSON.stringify(body)).to.not.include('hunter2');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({
      level: 'error',
      event: 'internal_error',
      request_id: id,
      'error.type': 'TypeError',
      'error.code': 'E_ODD',
    });
    expect(lines[0]?.['error.at']).to.match(/^refuse\.test\.ts:\d+:\d+$/);
    expect(JSON.stringify(lines)).to.not.include('hunter2');
  });

  it('a message that looks like a place in the code is not taken for one', async () => {
    const error = new Error('bad line\n    at hunter2.js:1:1\n    at more-hunter2.js:2:2');
    const { lines } = await refuseWith(error);
    expect(JSON.stringify(lines)).to.not.include('hunter2');
    expect(lines[0]?.['error.at']).to.match(/^refuse\.test\.ts:/);
  });

  it('an error without a stack, and what is no error at all, have no place', async () => {
    const bare = new Error('hunter2');
    Object.defineProperty(bare, 'stack', { value: undefined });
    const changed = new Error('first');
    expect(changed.stack).to.include('first');
    changed.message = 'hunter2';
    for (const thrown of [bare, changed, 'hunter2', undefined]) {
      const { status, lines } = await refuseWith(thrown);
      expect(status).to.equal(500);
      expect(lines[0]?.['error.at']).to.equal(undefined);
      expect(JSON.stringify(lines)).to.not.include('hunter2');
    }
  });
});
