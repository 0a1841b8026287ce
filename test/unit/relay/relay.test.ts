import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';
import { LargeReplies } from '../../../lib/relay/large-replies.ts';
import { relay } from '../../../lib/relay/relay.ts';
import type { RelayParts, RelayRequest } from '../../../lib/relay/relay-request.ts';
import { sendBody } from '../../../lib/relay/send-body.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { InferenceRoute } from '../../../lib/http/routes.ts';
import type { ReplyReceiver, UpstreamReply } from '../../../lib/upstream/reply.ts';
import { sampleCall, sampleExchange } from '../../support/sample-request.ts';
import { until } from '../../support/until.ts';

const PARTS: RelayParts = {
  limits: {
    maxLineBytes: 1_000,
    maxAssembledBytes: 1_000,
    maxReplyBytes: 1_000,
    readerTimeoutMs: 100,
    deliveryTimeoutMs: 1_000,
    largeReplyBytes: 100,
  },
  memory: new ByteBudget(1_000, 1_000),
  large: new LargeReplies(() => Promise.resolve(null)),
};

/** Nobody reads the response of a sample: more than node buffers, and it is stuck. */
const ROOMY: RelayParts = {
  ...PARTS,
  limits: {
    ...PARTS.limits,
    maxLineBytes: 1_000_000,
    maxReplyBytes: 1_000_000,
    largeReplyBytes: 1_000_000,
  },
  memory: new ByteBudget(2_000_000, 1_000_000),
};
const MUCH = 'x'.repeat(200_000);

/** A reply that says only whether it was touched. */
class UntouchedReply implements UpstreamReply {
  aborted = false;
  received = false;
  receiver: ReplyReceiver | null = null;

  receive(receiver: ReplyReceiver): void {
    this.receiver = receiver;
    this.received = true;
  }

  resume(): void {
    this.received = true;
  }

  abort(): void {
    this.aborted = true;
  }
}

describe('relay/relay', () => {
  function requestOf(route: InferenceRoute, streamed: boolean): RelayRequest {
    return {
      exchange: sampleExchange({ gone: AbortSignal.abort() }),
      call: sampleCall({ route, streamed }),
      lease: { numPredict: null },
      tally: startTally(),
      reply: new UntouchedReply(),
      ownerId: 'acme',
      headers: [],
      model: 'llama3:latest',
      beats: { firstMs: 20_000, everyMs: 15_000 },
    };
  }

  for (const [route, streamed] of [
    ['chat', true],
    ['generate', false],
    ['embed', false],
  ] as const) {
    it(`aborts the reply for a client that left before it began (${route})`, async () => {
      const request = requestOf(route, streamed);
      await relay(PARTS, request);
      expect(request.reply).to.include({ aborted: true, received: false });
      expect(request.tally.outcome).to.equal('client_gone');
      expect(request.exchange.response.headersSent).to.equal(false);
    });
  }

  it('sends no body to a client that left while it was made', () => {
    const request = requestOf('embed', false);
    sendBody(PARTS.limits, request, [Buffer.from('{}')]);
    expect(request.tally).to.include({ outcome: 'client_gone', bytesOut: 0 });
  });

  it('does not take a reader for gone whose stream we cut while it was stuck', async () => {
    const reply = new UntouchedReply();
    const request = { ...requestOf('chat', true), exchange: sampleExchange(), reply };
    const relayed = relay(ROOMY, request);
    reply.receiver?.onBytes(Buffer.from(`{"model":"m","message":{"content":"${MUCH}"}}\n`));
    request.tally.cutFor = 'auth_unavailable';
    reply.receiver?.onFailure(new GatewayError('auth_unavailable', 'Nothing is known.'));
    await relayed;
    await untilDestroyed(request);
    expect(request.tally.outcome).to.equal('upstream_error');
  });

  it('does not take a reader for gone whose whole reply we cut while it was stuck', async () => {
    const request = { ...requestOf('embed', false), exchange: sampleExchange() };
    sendBody(ROOMY.limits, request, [Buffer.from(MUCH)]);
    request.tally.cutFor = 'auth_unavailable';
    request.tally.outcome = 'upstream_error';
    await untilDestroyed(request);
    expect(request.tally.outcome).to.equal('upstream_error');
  });

  function untilDestroyed({ exchange }: RelayRequest): Promise<true> {
    return until(() => exchange.response.destroyed, { withinMs: 2_000, what: 'the end' });
  }
});
