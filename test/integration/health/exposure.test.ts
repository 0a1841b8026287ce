import { expect } from 'chai';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { warnOfExposure } from '../../../lib/cluster/warn-of-exposure.ts';
import { findExposure } from '../../../lib/health/exposure.ts';
import { listOuterAddresses, readRoutes } from '../../../lib/health/outer-addresses.ts';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import { recordLog } from '../../support/record-log.ts';

/** All of 127.0.0.0/8 is this machine, so one address more may stand for an outer one. */
const OTHER = '127.0.0.2';
const WITHIN_MS = 3_000;

describe('integration/health: an upstream that others can reach', function () {
  this.timeout(20_000);
  const servers: Server[] = [];
  const sockets: Socket[] = [];

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  /** A port of the other address, where this is answered to whatever comes. */
  async function serve(answer?: string): Promise<number> {
    const server = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
      if (answer !== undefined) socket.end(answer);
    });
    servers.push(server.listen(0, OTHER));
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  function look(host: string, port: number, withinMs = WITHIN_MS): ReturnType<typeof findExposure> {
    return findExposure(`http://${host}:${port}`, [OTHER], AbortSignal.timeout(withinMs));
  }

  it('finds one that listens on every address, and none that listens on loopback only', async () => {
    const [wide, narrow] = await Promise.all([
      startFakeOllama({ host: '0.0.0.0' }),
      startFakeOllama(),
    ]);
    const wideUrl = wide.url;
    const signal = AbortSignal.timeout(WITHIN_MS);
    const found = await findExposure(wideUrl, [OTHER], signal);
    expect(found).to.deep.equal({
      upstream: wideUrl,
      local: true,
      open: [`${OTHER}:${new URL(wideUrl).port}`],
    });
    expect((await findExposure(narrow.url, [OTHER], signal)).open).to.deep.equal([]);
    await Promise.all([wide.close(), narrow.close()]);
  });

  it('what asks for credentials on that port is no open door, any other answer is', async () => {
    const asks = await serve('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
    const refuses = await serve('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    const [keyed, forbidden] = await Promise.all([
      look('127.0.0.1', asks),
      look('127.0.0.1', refuses),
    ]);
    expect(keyed.open).to.deep.equal([]);
    expect(forbidden.open).to.deep.equal([`${OTHER}:${refuses}`]);
  });

  it('what takes a connection and is silent is open, and is not waited for longer than allowed', async () => {
    const port = await serve();
    const { open } = await look('localhost', port, 300);
    expect(open).to.deep.equal([`${OTHER}:${port}`]);
  });

  it('tries nothing of a machine that is not this one', async () => {
    const port = await serve('hello, whoever you are\r\n');
    for (const host of ['192.0.2.77', 'no-such-host.invalid']) {
      const { local, open } = await look(host, port);
      expect({ local, open }, host).to.deep.equal({ local: false, open: [] });
    }
  });

  it("knows the machine's addresses also where a sandbox forbids to ask for them", () => {
    // Links without a carrier have addresses too, which the system itself does not tell.
    expect(readRoutes()).to.include.members([...(listOuterAddresses() ?? [])]);
  });

  it('a stop ends the look at once', async () => {
    const port = await serve();
    const { open } = await findExposure(`http://127.0.0.1:${port}`, [OTHER], AbortSignal.abort());
    expect(open).to.deep.equal([]);
  });

  it('a gateway that starts warns once for each such upstream, with its open addresses', async () => {
    const wide = await startFakeOllama({ host: '0.0.0.0' });
    const narrow = await startFakeOllama();
    const { log, lines } = recordLog();
    const upstreams = [narrow.url, wide.url];
    await warnOfExposure(upstreams, log, new AbortController().signal);
    const { port } = new URL(wide.url);
    const outer = (listOuterAddresses() ?? []).filter((address) => !address.includes(':'));
    const warnings = lines.filter(({ event }) => event === 'upstream_exposed');
    expect(warnings.map(({ upstream }) => upstream)).to.deep.equal(
      outer.length === 0 ? [] : [wide.url],
    );
    for (const address of outer) {
      expect(warnings[0]?.['addresses']).to.include(`${address}:${port}`);
    }
    await Promise.all([wide.close(), narrow.close()]);
  });
});
