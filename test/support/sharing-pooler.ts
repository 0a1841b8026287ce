import { connect, createServer } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { closeServer, listen, throughProxy, toConnectOptions } from './fault-proxy.ts';

export interface SharingPooler {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Stands before a Postgres as a pooler that shares sessions does: what is set on one is not there when
 * its client is served next. Here that is LISTEN alone, which takes effect on a channel of no use.
 */
export async function startSharingPooler(databaseUrl: string): Promise<SharingPooler> {
  const server = createServer((client) => {
    const store = connect(toConnectOptions(databaseUrl));
    pipeline(client, misdirectListen(), store, () => undefined);
    pipeline(store, client, () => undefined);
  });
  const port = await listen(server);
  return { url: throughProxy(databaseUrl, port), close: () => closeServer(server) };
}

/** Of the same length: the protocol counts. A statement of doctor's is never split on loopback. */
function misdirectListen(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from(chunk.toString('latin1').replace('listen nz', 'listen ot'), 'latin1'));
    },
  });
}
