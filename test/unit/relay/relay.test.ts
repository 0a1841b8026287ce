import { expect } from 'chai';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';
import { LargeReplies } from '../../../lib/relay/large-replies.ts';
import { relay } from '../../../lib/relay/relay.ts';
import type { RelayParts, RelayRequest } from '../../../lib/relay/relay-request.ts';
import { sendBody } from '../../../lib/relay/send-body.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { InferenceRoute } from '../../../lib/http/routes.ts';
import type { UpstreamReply } from '../../../lib/upstream/reply.ts';
import { sampleCall, sampleExchange } from '../../support/sample-request.ts';

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

/** A reply that says only whether it was touched. */
class UntouchedReply implements UpstreamReply {
  aborted = false;
  received = false;

  receive(): void {
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
});
