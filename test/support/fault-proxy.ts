import { connect, createServer } from 'node:net';
import type { AddressInfo, NetConnectOpts, Server, Socket } from 'node:net';

/**
 * A TCP proxy that fails on command, between the gateway and one of its stores. It reads nothing of
 * what it passes.
 */
export interface FaultProxy {
  /** The store's URL through the proxy. */
  readonly url: string;
  /** Everything goes through, new connections too. */
  pass(): void;
  /** Connections stay and new ones are taken, but not a byte moves: what a dead network looks like. */
  blackhole(): void;
  /** Every connection is reset, and so is each new one. */
  reset(): void;
  close(): Promise<void>;
}

type Mode = 'pass' | 'blackhole' | 'reset';

interface Pair {
  readonly client: Socket;
  readonly store: Socket;
}

export async function startFaultProxy(storeUrl: string): Promise<FaultProxy> {
  let mode: Mode = 'pass';
  const pairs = new Set<Pair>();
  const server = createServer((client) => {
    client.on('error', () => undefined);
    if (mode === 'reset') {
      client.resetAndDestroy();
      return;
    }
    join(client, connect(toConnectOptions(storeUrl)), pairs);
    if (mode === 'blackhole') client.pause();
  });
  const port = await listen(server);

  return {
    url: throughProxy(storeUrl, port),
    pass: () => {
      mode = 'pass';
      // What was swallowed meanwhile is lost: such a connection can only be dropped.
      drop(pairs);
    },
    blackhole: () => {
      mode = 'blackhole';
      for (const { client, store } of pairs) {
        client.pause();
        store.pause();
      }
    },
    reset: () => {
      mode = 'reset';
      drop(pairs);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        drop(pairs);
      }),
  };
}

function join(client: Socket, store: Socket, pairs: Set<Pair>): void {
  const pair = { client, store };
  pairs.add(pair);
  const end = (): void => {
    pairs.delete(pair);
    client.destroy();
    store.destroy();
  };
  store.on('error', end);
  store.on('close', end);
  client.on('error', end);
  client.on('close', end);
  client.on('data', (chunk) => store.write(chunk));
  store.on('data', (chunk) => client.write(chunk));
}

function drop(pairs: Set<Pair>): void {
  for (const { client, store } of pairs) {
    client.resetAndDestroy();
    store.destroy();
  }
  pairs.clear();
}

/** Postgres by `?host=DIR`, Redis by `unix:PATH`, both by host and port. */
function toConnectOptions(storeUrl: string): NetConnectOpts {
  const url = new URL(storeUrl);
  const directory = url.searchParams.get('host');
  if (directory !== null) return { path: `${directory}/.s.PGSQL.5432` };
  if (url.protocol === 'unix:') return { path: url.pathname };
  return { host: url.hostname, port: Number(url.port) };
}

function throughProxy(storeUrl: string, port: number): string {
  const url = new URL(storeUrl);
  if (url.protocol === 'unix:') return `redis://127.0.0.1:${port}`;
  if (url.searchParams.get('host') === null) {
    url.hostname = '127.0.0.1';
    url.port = String(port);
    return url.href;
  }
  const user = url.searchParams.get('user') ?? '';
  return `postgresql://${user}@127.0.0.1:${port}${url.pathname}`;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}
