import { expect } from 'chai';
import { tooManyLarge } from '../../../lib/relay/failures.ts';
import { readReply } from '../../../lib/relay/read-reply.ts';
import type { WholeReader } from '../../../lib/relay/read-reply.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { Tally } from '../../../lib/upstream/tally.ts';
import type { ReplyReceiver, UpstreamReply } from '../../../lib/upstream/reply.ts';
import { sampleCall, sampleExchange } from '../../support/sample-request.ts';

/** A reply that says what its receiver is told to say, and notes what it is asked for. */
class PlayedReply implements UpstreamReply {
  receiver: ReplyReceiver | null = null;
  readonly asked: string[] = [];

  receive(receiver: ReplyReceiver): void {
    this.receiver = receiver;
  }

  resume(): void {
    this.asked.push('resume');
  }

  abort(): void {
    this.asked.push('abort');
  }
}

describe('relay/read-reply', () => {
  let reply: PlayedReply;
  let client: AbortController;
  let tally: Tally;

  beforeEach(() => {
    reply = new PlayedReply();
    client = new AbortController();
    tally = startTally();
  });

  function read<T>(reader: WholeReader<T>): Promise<T | null> {
    return readReply(
      {
        exchange: sampleExchange({ gone: client.signal }),
        call: sampleCall(),
        lease: { numPredict: null },
        tally,
        reply,
        ownerId: 'acme',
        headers: [],
        model: 'llama3:latest',
        beats: { firstMs: 20_000, everyMs: 15_000 },
      },
      reader,
    );
  }

  const never = (): Promise<never> => new Promise(() => undefined);

  it('lets the upstream wait while a chunk is worked on', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const whole = read({ onChunk: () => promise, onEnd: () => Promise.resolve('done') });
    expect(reply.receiver?.onBytes(Buffer.from('x'))).to.equal(false);
    expect(reply.asked).to.deep.equal([]);
    resolve(undefined);
    await promise;
    expect(reply.asked).to.deep.equal(['resume']);
    reply.receiver?.onEnd();
    expect(await whole).to.equal('done');
  });

  it('ends when the request is cut while its end is worked on', async () => {
    const whole = read({ onChunk: () => undefined, onEnd: never });
    reply.receiver?.onEnd();
    reply.receiver?.onFailure(tooManyLarge());
    expect(await whole.catch((error: unknown) => error)).to.include({ code: 'overloaded' });
    // It is our own failure, not the upstream's.
    expect(tally.outcome).to.equal(null);
  });

  it('ends when the client leaves while its end is worked on, and stays so', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const whole = read({ onChunk: () => undefined, onEnd: () => promise });
    reply.receiver?.onEnd();
    client.abort();
    expect(await whole).to.equal(null);
    expect(tally.outcome).to.equal('client_gone');
    resolve('too late');
    reply.receiver?.onFailure(tooManyLarge());
    expect(reply.receiver?.onBytes(Buffer.from('x'))).to.equal(true);
    expect(tally.outcome).to.equal('client_gone');
    expect(reply.asked).to.deep.equal(['abort']);
  });

  it('does not let a reply flow that is over', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const whole = read({ onChunk: () => promise, onEnd: never });
    reply.receiver?.onBytes(Buffer.from('x'));
    client.abort();
    resolve(undefined);
    expect(await whole).to.equal(null);
    reply.receiver?.onEnd();
    expect(reply.asked).to.deep.equal(['abort']);
  });
});
