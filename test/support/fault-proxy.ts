import { connect, createServer } from 'node:net';
import type { AddressInfo, NetConnectOpts, Server } from 'node:net';
import { loadScripts } from '../../lib/ledger/scripts.ts';
import { listAddresses } from './connect-redis.ts';
import { FaultSteps } from './fault-steps.ts';
import type { FaultAct, HeldStep, Step } from './fault-steps.ts';
import { makePostgresWire } from './postgres-wire.ts';
import { ProxiedPair } from './proxied-pair.ts';
import { makeRedisWire } from './redis-wire.ts';
import type { NamedScript } from './redis-wire.ts';
import type { Wire } from './wire.ts';

/**
 * A TCP proxy that fails on command, between the gateway and one of its stores. It reads what it
 * passes, so that a fault can be put at an exact step, and changes nothing of it; only where the nodes
 * of a Redis Cluster name each other, it puts its own ports, or its client would go round it. Faults
 * and steps are those of all nodes together.
 */
export interface FaultProxy {
  /** The store's URL through the proxy. */
  readonly url: string;
  /** Everything goes through, new connections too; those that were there are reset. */
  pass(): void;
  /**
   * New connections go through; those that a blackhole froze stay frozen, and nobody is told: what a
   * network looks like that has forgotten them. One that was about to be made is not made any more.
   */
  passNew(): void;
  /** Connections stay and new ones are taken, but not a byte moves: what a dead network looks like. */
  blackhole(): void;
  /** Every connection is reset, and so is each new one. */
  reset(): void;
  /** Every reply that arrives from now on is late by so much; 0 ends that. */
  delay(ms: number): void;
  /**
   * Waits for a step, once, and does something there: kill a process, cut the connection, hold it.
   * The step passes when the act has ended, unless it called `pass` or `cut` before. A process that
   * is killed `before` a command has sent it nevertheless: only `cut` keeps it from the store.
   *
   * Resolves when the act has ended; rejects with its error, or when the step was not hit in time
   * (10 s unless told otherwise).
   */
  at(step: Step, act: FaultAct, withinMs?: number): Promise<void>;
  /** Waits for a step and stays there, until `pass` or `cut` is called on what it resolves to. */
  hold(step: Step, withinMs?: number): Promise<HeldStep>;
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  /** By which scripts are named; the product's own unless told otherwise. */
  readonly scripts?: readonly NamedScript[];
}

type Mode = 'pass' | 'blackhole' | 'reset';

export async function startFaultProxy(
  storeUrl: string,
  options: FaultProxyOptions = {},
): Promise<FaultProxy> {
  let mode: Mode = 'pass';
  let delayMs = 0;
  const steps = new FaultSteps();
  const pairs = new Set<ProxiedPair>();
  const nodes = isPostgres(storeUrl) ? [storeUrl] : listAddresses(storeUrl);
  const ports = new Map<number, number>();
  const makeWire = chooseWire(storeUrl, ports, options);
  const servers = nodes.map((nodeUrl) =>
    createServer({ noDelay: true }, (client) => {
      client.on('error', () => undefined);
      if (mode === 'reset') {
        client.resetAndDestroy();
        return;
      }
      const pair = new ProxiedPair({
        client,
        store: connect({ noDelay: true, ...toConnectOptions(nodeUrl) }),
        wire: makeWire(),
        steps,
        readDelayMs: () => delayMs,
        onGone: (gone) => pairs.delete(gone),
      });
      pairs.add(pair);
      if (mode === 'blackhole') pair.freeze();
    }),
  );
  const own = await Promise.all(servers.map(listen));
  if (nodes.length > 1) {
    for (const [n, nodeUrl] of nodes.entries())
      ports.set(Number(new URL(nodeUrl).port), own[n] ?? 0);
  }

  return {
    url: nodes.map((nodeUrl, n) => throughProxy(nodeUrl, own[n] ?? 0)).join(','),
    pass: () => {
      mode = 'pass';
      // What was swallowed meanwhile is lost: such a connection can only be dropped.
      drop(pairs);
    },
    passNew: () => {
      mode = 'pass';
    },
    blackhole: () => {
      mode = 'blackhole';
      for (const pair of pairs) pair.freeze();
    },
    reset: () => {
      mode = 'reset';
      drop(pairs);
    },
    delay: (ms) => {
      delayMs = ms;
    },
    at: (step, act, withinMs) => steps.at(step, act, withinMs),
    hold: (step, withinMs) => hold(steps, step, withinMs),
    close: async () => {
      const closed = Promise.all(servers.map(closeServer));
      steps.fail(new Error('the proxy was closed'));
      drop(pairs);
      await closed;
    },
  };
}

function hold(steps: FaultSteps, step: Step, withinMs?: number): Promise<HeldStep> {
  const hit = Promise.withResolvers<HeldStep>();
  const act: FaultAct = (held) => {
    const released = Promise.withResolvers<undefined>();
    const releaseBy = (word: () => void) => () => {
      word();
      released.resolve(undefined);
    };
    hit.resolve({ ...held, pass: releaseBy(held.pass), cut: releaseBy(held.cut) });
    return released.promise;
  };
  steps.at(step, act, withinMs).catch(hit.reject);
  hit.promise.catch(() => undefined);
  return hit.promise;
}

function drop(pairs: Set<ProxiedPair>): void {
  for (const pair of pairs) pair.cut();
  pairs.clear();
}

function isPostgres(storeUrl: string): boolean {
  return storeUrl.startsWith('postgres');
}

function chooseWire(
  storeUrl: string,
  ports: ReadonlyMap<number, number>,
  options: FaultProxyOptions,
): () => Wire {
  if (isPostgres(storeUrl)) return makePostgresWire;
  const { scripts = loadScripts() } = options;
  return () => makeRedisWire(scripts, ports);
}

/** Resolves when its last connection is closed. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

/** Postgres by `?host=DIR`, Redis by `unix:PATH`, both by host and port. */
export function toConnectOptions(storeUrl: string): NetConnectOpts {
  const url = new URL(storeUrl);
  const directory = url.searchParams.get('host');
  if (directory !== null) return { path: `${directory}/.s.PGSQL.5432` };
  if (url.protocol === 'unix:') return { path: url.pathname };
  return { host: url.hostname, port: Number(url.port) };
}

/** The URL of that store where a proxy listens for it. */
export function throughProxy(storeUrl: string, port: number): string {
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

/** Resolves to the port. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}
