import { expect } from 'chai';
import { systemClock } from '../../../lib/time/clock.ts';
import { UpstreamConnections } from '../../../lib/upstream/connections.ts';
import { forward, openForwarder } from '../../../lib/upstream/forward.ts';
import { startTally } from '../../../lib/upstream/tally.ts';

const ORIGIN = 'http://127.0.0.1:9';

describe('upstream/connections', () => {
  it('keeps a connection for the tenant that used it', async () => {
    const connections = new UpstreamConnections(ORIGIN, 100);
    const first = connections.take('a');
    expect(connections.inFlight).to.equal(1);
    connections.giveBack(first, 'a');
    connections.giveBack(first, 'a');
    expect(connections.inFlight).to.equal(0);
    expect(connections.take('b')).not.to.equal(first);
    expect(connections.take('a')).to.equal(first);
    expect(connections.take('a')).not.to.equal(first);
    await connections.close();
    expect(connections.inFlight).to.equal(0);
  });

  it('keeps only so many, whoever used them', async () => {
    const connections = new UpstreamConnections(ORIGIN, 100);
    const taken = Array.from({ length: 300 }, (_, i) => connections.take(`t${i}`));
    taken.forEach((client, i) => {
      connections.giveBack(client, `t${i}`);
    });
    expect(taken.filter((client) => client.destroyed)).to.have.length(44);
    await connections.close();
  });

  it('does not keep what was destroyed meanwhile', async () => {
    const connections = new UpstreamConnections(ORIGIN, 100);
    const client = connections.take('a');
    await client.destroy();
    connections.giveBack(client, 'a');
    expect(connections.take('a')).not.to.equal(client);
    await connections.close();
  });

  it('bounds what is in flight: more is refused as overload', async () => {
    const forwarder = openForwarder({
      origins: [ORIGIN],
      clock: systemClock,
      limits: {
        connectTimeoutMs: 100,
        firstByteTimeoutMs: 100,
        chunkTimeoutMs: 100,
        requestTimeoutMs: 100,
      },
      breaker: { failures: 5, openMs: 5_000 },
    });
    const connections = forwarder.upstreams[0]?.connections;
    while (connections?.full === false) connections.take('a');
    const tally = startTally();
    const failed = await forward(forwarder, {
      path: '/api/chat',
      body: { bytes: Buffer.from('{}'), drop: () => undefined },
      headers: [],
      upstreams: [0],
      tenantId: 'a',
      gone: new AbortController().signal,
      tally,
    }).catch((error: unknown) => error);
    expect(failed).to.include({ code: 'overloaded', status: 503 });
    expect(tally).to.include({ written: false, outcome: null });
    await connections?.close();
  });
});
