import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { Running } from '../../../lib/gateway/running.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { ReplyReceiver, UpstreamReply } from '../../../lib/upstream/reply.ts';
import { makeKeyRow, makeTenantRow } from '../../support/rows.ts';

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
  const never = new AbortController().signal;

  it('cutting a reply that flows aborts the upstream before it tells the receiver why', () => {
    const running = new Running();
    const { acts, reply, receiver } = play();
    running.begin(never, open.promise, facts()).follow(reply).receive(receiver);
    running.cutAll(draining);
    expect(acts).to.deep.equal(['receive', 'abort', 'failed: draining']);
  });

  it('a request that waits for its head hears of the cut by its signal, with the reason kept', () => {
    const request = new Running().begin(never, open.promise, facts());
    expect(request.signal.aborted).to.equal(false);
    request.cut(draining);
    expect(request.signal.aborted).to.equal(true);
    expect(request.reason).to.equal(draining);
  });

  it('a cut between head and body reaches the receiver once there is one', () => {
    const request = new Running().begin(never, open.promise, facts());
    const { acts, reply, receiver } = play();
    const followed = request.follow(reply);
    request.cut(draining);
    followed.receive(receiver);
    expect(acts).to.deep.equal(['abort', 'failed: draining']);
  });

  it('only the first cut counts, so that no receiver fails twice', () => {
    const request = new Running().begin(never, open.promise, facts());
    const { acts, reply, receiver } = play();
    request.follow(reply).receive(receiver);
    request.cut(draining);
    request.cut(new GatewayError('upstream_error', 'later'));
    expect(request.reason).to.equal(draining);
    expect(acts).to.deep.equal(['receive', 'abort', 'failed: draining']);
  });

  it('notes the cut of what was running, not of what had ended, or whose client had left', () => {
    const [running, ended, left] = [facts(), facts(), facts()];
    new Running().begin(never, open.promise, running).cut(draining);
    expect(running.tally.cutFor).to.equal('draining');
    ended.tally.outcome = 'upstream_error';
    new Running().begin(never, open.promise, ended).cut(draining);
    expect(ended.tally.cutFor).to.equal(null);
    new Running().begin(AbortSignal.abort(), open.promise, left).cut(draining);
    expect(left.tally.cutFor).to.equal(null);
  });

  it('passes resume and abort on, since backpressure and hang-ups go the same way', () => {
    const { acts, reply } = play();
    const followed = new Running().begin(never, open.promise, facts()).follow(reply);
    followed.resume();
    followed.abort();
    expect(acts).to.deep.equal(['resume', 'abort']);
  });

  it('a client that left ends the wait for the upstream, also if it left before', () => {
    const leaving = new AbortController();
    const request = new Running().begin(leaving.signal, open.promise, facts());
    leaving.abort();
    expect(request.signal.aborted).to.equal(true);
    expect(request.reason).to.equal(undefined);
    expect(new Running().begin(leaving.signal, open.promise, facts()).signal.aborted).to.equal(
      true,
    );
  });

  it('forgets a request when its connection has closed', async () => {
    const running = new Running();
    const closed = Promise.withResolvers<undefined>();
    const leaving = new AbortController();
    const request = running.begin(leaving.signal, closed.promise, facts());
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
    const request = running.begin(never, open.promise, facts());
    expect(request.reason).to.equal(draining);
    expect(request.signal.aborted).to.equal(true);
  });
});
