import { expect } from 'chai';
import { Backlog } from '../../../lib/upstream/backlog.ts';
import { stalled } from '../../../lib/upstream/failures.ts';
import type { ReplyReceiver } from '../../../lib/upstream/reply.ts';

class Receiver implements ReplyReceiver {
  readonly seen: string[] = [];
  take = true;

  onBytes(chunk: Buffer): boolean {
    this.seen.push(chunk.toString());
    return this.take;
  }

  onEnd(): void {
    this.seen.push('end');
  }

  onFailure(): void {
    this.seen.push('failure');
  }
}

describe('upstream/backlog', () => {
  it('keeps what came before the receiver, end included, in order', () => {
    const backlog = new Backlog();
    const receiver = new Receiver();
    expect(backlog.add(Buffer.from('a'))).to.equal(true);
    backlog.add(Buffer.from('b'));
    backlog.end(null);
    backlog.receive(receiver);
    expect(receiver.seen).to.deep.equal(['a', 'b', 'end']);
  });

  it('asks for a pause when too much waits for the receiver', () => {
    const backlog = new Backlog();
    expect(backlog.add(Buffer.alloc(60_000))).to.equal(true);
    expect(backlog.add(Buffer.alloc(60_000))).to.equal(false);
    expect(backlog.receive(new Receiver())).to.equal(true);
  });

  it('holds back what still comes after the receiver asked for a pause', () => {
    const backlog = new Backlog();
    const receiver = new Receiver();
    backlog.receive(receiver);
    receiver.take = false;
    expect(backlog.add(Buffer.from('a'))).to.equal(false);
    expect(backlog.add(Buffer.from('b'))).to.equal(false);
    backlog.add(Buffer.from('c'));
    backlog.end(stalled());
    expect(backlog.paused).to.equal(true);
    expect(backlog.resume()).to.equal(false);
    expect(receiver.seen).to.deep.equal(['a', 'b']);
    receiver.take = true;
    expect(backlog.resume()).to.equal(true);
    expect(receiver.seen).to.deep.equal(['a', 'b', 'c', 'failure']);
  });

  it('delivers one end, and nothing after it was closed', () => {
    const backlog = new Backlog();
    const receiver = new Receiver();
    backlog.receive(receiver);
    backlog.end(null);
    backlog.end(stalled());
    expect(receiver.seen).to.deep.equal(['end']);

    const closed = new Backlog();
    closed.receive(receiver);
    closed.close();
    closed.add(Buffer.from('x'));
    closed.end(null);
    expect(receiver.seen).to.deep.equal(['end']);
  });
});
