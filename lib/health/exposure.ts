import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';

/** Whether an upstream of this machine can be reached from others (SPEC §15). */
export interface Exposure {
  /** As OLLAMA_URL has it. */
  readonly upstream: string;
  /** False: it is on another machine, and nothing was tried. */
  readonly local: boolean;
  /** Where it takes requests of anybody: `192.0.2.7:11434`. */
  readonly open: readonly string[];
}

/** Whoever asks for credentials is no open Ollama: this gateway, say, on the same port. */
const ASKS_WHO = /^HTTP\/1\.[01] 401 /;
const STATUS_LINE_BYTES = 13;

/**
 * Tries the upstream's port on each of the addresses, if it is one of this machine. What takes a
 * connection there is open, unless it asks for credentials. Never rejects; what was not found out by
 * `signal` counts as not local, or not open.
 */
export async function findExposure(
  upstream: string,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Exposure> {
  const { hostname, port, protocol } = new URL(upstream);
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  const host = hostname.replace(/^\[|\]$/g, '');
  if (!(await isOwn(host, addresses, signal))) return { upstream, local: false, open: [] };
  const answers = await Promise.all(
    addresses.map((address) => takesAnybody(address, number, signal)),
  );
  const open = addresses.filter((_, index) => answers[index] === true);
  return { upstream, local: true, open: open.map((address) => toPlace(address, number)) };
}

/** A host name counts if any of its addresses does. */
async function isOwn(
  host: string,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const over = Promise.withResolvers<readonly { address: string }[]>();
  const giveUp = (): void => {
    over.resolve([]);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  const found = lookup(host, { all: true }).catch(() => []);
  const all = await Promise.race([found, over.promise]);
  signal.removeEventListener('abort', giveUp);
  const own = new Set(addresses.map(withoutLink));
  return all.some(({ address }) => isLoopback(address) || own.has(withoutLink(address)));
}

/** Or none in particular, which leads to loopback as well. */
function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\./i.test(address) || ['::1', '::', '0.0.0.0'].includes(address);
}

function withoutLink(address: string): string {
  return address.replace(/%.*/, '');
}

/** What is connected and says nothing is open too. */
function takesAnybody(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let isConnected = false;
    let said = '';
    const socket = connect({ host, port });
    const end = (isOpen: boolean): void => {
      signal.removeEventListener('abort', onLate);
      socket.destroy();
      resolve(isOpen);
    };
    const onLate = (): void => {
      end(isConnected);
    };
    signal.addEventListener('abort', onLate, { once: true });
    socket.once('connect', () => {
      isConnected = true;
      const asked = `GET /api/version HTTP/1.1\r\nHost: ${toPlace(withoutLink(host), port)}\r\n`;
      socket.write(`${asked}Connection: close\r\n\r\n`);
    });
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (said.length >= STATUS_LINE_BYTES) end(!ASKS_WHO.test(said));
    });
    socket.once('error', onLate);
    socket.once('close', onLate);
    if (signal.aborted) onLate();
  });
}

function toPlace(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
