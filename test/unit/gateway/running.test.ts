import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { LAST_WORDS_MS, Running } from '../../../lib/gateway/running.ts';
import type { Exchange } from '../../../lib/http/exchange.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { ReplyReceiver, UpstreamReply } from '../../../lib/upstream/reply.ts';
import { makeKeyRow, makeTenantRow } from '../../support/rows.ts';
import { sampleExchange } from '../../support/sample-request.ts';
import { until } from '../../support/until.ts';

const revoked = new GatewayError('revoked', 'The API key was revoked.');
const draining = new GatewayError('draining', 'The gateway is shutting down.');

interface Played {
  readonly acts: string[];
  readonly reply: UpstreamReply;
  readonly receiver: ReplyReceiver;
}

/** A reply and its receiver that write down what is done to them. */
function play(): Played {
  const acts: string[] = [];
  return {
    acts,
    reply: {
      receive: () => acts.push('receive'),
      resume: () => acts.push('resume'),
      abort: () => acts.push('abort'),
    },
    receiver: {
      onBytes: () => true,
      onEnd: () => undefined,
      onFailure: (error) => acts.push(`failed: ${error.code}`),
    },
  };
}

function facts() {
  return { principal: { key: makeKeyRow(), tenant: makeTenantRow() }, tally: startTally() };
}

describe('gateway/running', () => {
  const open = Promise.withResolvers<undefined>();

  function openExchange(gone = new AbortController().signal): Exchange {
    return sampleExchange({ gone, closed: open.promise });
  }

  it('cutting a reply that flows aborts the upstream before it tells the receiver why', () => {
    const running = new Running();
    const { acts, reply, receiver } = play();
    running.begin(openExchange(), facts()).follow(reply).receive(receiver);
    running.cutAll(draining);
    expect(acts).to.deep.equal(['receive', 'abort', 'failed: draining']);
  });

  it('a request that waits for its head hears of the cut by its signal, with the reason kept', () => {
    const request = new Running().begin(openExchange(), facts());
    expect(request.signal.aborted).to.equal(false);
    request.cut(draining);
    expect(request.signal.aborted).to.equal(true);
    expect(request.reason).to.equal(draining);
  });

  it('a cut between head and body reaches the receiver once there is one', () => {
    const request = new Running().begin(openExchange(), facts());
    const { acts, reply, receiver } = play();
    const followed = request.follow(reply);
    request.cut(draining);
    followed.receive(receiver);
    expect(acts).to.deep.equal(['abort', 'failed: draining']);
  });

  it('only the first cut counts, so that no receiver fails twice', () => {
    const request = new Running().begin(openExchange(), facts());
    const { acts, reply, receiver } = play();
    request.follow(reply).receive(receiver);
    request.cut(draining);
    request.cut(new GatewayError('upstream_error', 'later'));
    expect(request.reason).to.equal(draining);
    expect(acts).to.deep.equal(['receive', 'abort', 'failed: draining']);
  });

  it('notes the cut of what was running, not of what had ended, or whose client had left', () => {
    const [running, ended, left] = [facts(), facts(), facts()];
    new Running().begin(openExchange(), running).cut(draining);
    expect(running.tally.cutFor).to.equal('draining');
    ended.tally.outcome = 'upstream_error';
    new Running().begin(openExchange(), ended).cut(draining);
    expect(ended.tally.cutFor).to.equal(null);
    new Running().begin(openExchange(AbortSignal.abort()), left).cut(draining);
    expect(left.tally.cutFor).to.equal(null);
  });

  it('notes the cut of one that was admitted after all were cut, and their connections closed', () => {
    const [running, late] = [new Running(), facts()];
    running.cutAll(draining);
    running.begin(openExchange(AbortSignal.abort()), late);
    expect(late.tally.cutFor).to.equal('draining');
  });

  for (const [before, after] of [
    ['ok', 'upstream_error'],
    ['upstream_incomplete', 'upstream_error'],
    ['upstream_error', 'upstream_error'],
    ['client_gone', 'client_gone'],
    [null, null],
  ] as const) {
    it(`ends the connection of a reader that does not take its last words (it was ${before})`, async () => {
      const [exchange, known] = [openExchange(), facts()];
      known.tally.outcome = before;
      new Running().begin(exchange, known).end(revoked);
      expect(exchange.response.destroyed, 'it has some time').to.equal(false);
      await untilEnded(exchange);
      expect(known.tally.outcome).to.equal(after);
      const endedByUs = before === null || before !== after;
      expect(known.tally.cutFor).to.equal(endedByUs ? 'revoked' : null);
    });
  }

  it('leaves a connection alone whose response is over, and one that a drain has in hand', async () => {
    const closed = Promise.withResolvers<undefined>();
    const [over, drained, late] = [
      sampleExchange({ closed: closed.promise }),
      openExchange(),
      openExchange(),
    ];
    const running = new Running();
    const request = running.begin(drained, facts());
    running.cutAll(draining);
    request.end(revoked);
    new Running().begin(over, facts()).end(revoked);
    closed.resolve(undefined);
    new Running().begin(late, facts()).end(revoked);
    await untilEnded(late);
    expect([over, drained].map(({ response }) => response.destroyed)).to.deep.equal([false, false]);
    expect(request.reason).to.equal(draining);
  });

  function untilEnded({ response }: Exchange): Promise<true> {
    return until(() => response.destroyed, { withinMs: 5 * LAST_WORDS_MS, what: 'the end' });
  }

  it('passes resume and abort on, since backpressure and hang-ups go the same way', () => {
    const { acts, reply } = play();
    const followed = new Running().begin(openExchange(), facts()).follow(reply);
    followed.resume();
    followed.abort();
    expect(acts).to.deep.equal(['resume', 'abort']);
  });

  it('a client that left ends the wait for the upstream, also if it left before', () => {
    const leaving = new AbortController();
    const request = new Running().begin(openExchange(leaving.signal), facts());
    leaving.abort();
    expect(request.signal.aborted).to.equal(true);
    expect(request.reason).to.equal(undefined);
    expect(new Running().begin(openExchange(leaving.signal), facts()).signal.aborted).to.equal(
      true,
    );
  });

  it('forgets a request when its connection has closed', async () => {
    const running = new Running();
    const closed = Promise.withResolvers<undefined>();
    const leaving = new AbortController();
    const request = running.begin(
      sampleExchange({ gone: leaving.signal, closed: closed.promise }),
      facts(),
    );
    expect(running.size).to.equal(1);
    closed.resolve(undefined);
    await closed.promise;
    await Promise.resolve();
    expect(running.size).to.equal(0);
    running.cutAll(draining);
    leaving.abort();
    expect(request.reason).to.equal(undefined);
    expect(request.signal.aborted).to.equal(false);
  });

  it('a request that is admitted after everyone was cut is cut at once', () => {
    const running = new Running();
    running.cutAll(draining);
    const request = running.begin(openExchange(), facts());
    expect(request.reason).to.equal(draining);
    expect(request.signal.aborted).to.equal(true);
  });
});
