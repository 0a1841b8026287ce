import { Client, buildConnector } from 'undici';

/** More requests than this to one upstream at once are refused by this worker. */
const MAX_IN_FLIGHT = 1_024;
/** Connections kept for a next request, per upstream. */
const MAX_IDLE = 256;
const KEEP_ALIVE_MS = 4_000;
const MAX_HEAD_BYTES = 16_384;

/**
 * The connections to one upstream. Each carries one request at a time, and is kept only for the
 * tenant that used it: an upstream that sends a second response after the first can then never
 * reach another tenant, whatever its timing. (undici drops a connection on which something came
 * while it was idle, but what comes after the next request was written is taken for its answer.)
 * A new connection for every request would be as safe and costs 125 µs of CPU more than one that
 * is kept: measured 34 against 157 µs a request, which is why connections are kept at all.
 */
export class UpstreamConnections {
  readonly #origin: string;
  readonly #connect: ReturnType<typeof buildConnector>;
  readonly #idle = new Map<string, Client[]>();
  readonly #idleTenant = new Map<Client, string>();
  readonly #busy = new Set<Client>();

  /** `connectTimeoutMs`: a socket that still connects then is given up, whoever waited for it. */
  constructor(origin: string, connectTimeoutMs: number) {
    this.#origin = origin;
    this.#connect = buildConnector({ allowH2: false, timeout: connectTimeoutMs });
  }

  get inFlight(): number {
    return this.#busy.size;
  }

  get full(): boolean {
    return this.#busy.size >= MAX_IN_FLIGHT;
  }

  /** A connection that nobody else uses; give it back or drop it. */
  take(tenantId: string): Client {
    const client = this.#idle.get(tenantId)?.at(-1) ?? this.#open();
    this.#forget(client);
    this.#busy.add(client);
    return client;
  }

  /** After a response that came to its end. */
  giveBack(client: Client, tenantId: string): void {
    if (!this.#busy.delete(client)) return;
    if (client.destroyed || this.#idleTenant.size >= MAX_IDLE) {
      this.drop(client);
      return;
    }
    this.#idleTenant.set(client, tenantId);
    const kept = this.#idle.get(tenantId);
    if (kept) kept.push(client);
    else this.#idle.set(tenantId, [client]);
  }

  /** Destroys the socket at once, whether it waits or is in the middle of a reply. */
  drop(client: Client): void {
    this.#busy.delete(client);
    this.#forget(client);
    // Ends what runs on it by its own error; nothing is left to be said here.
    client.destroy().catch(() => undefined);
  }

  async close(): Promise<void> {
    const all = [...this.#busy, ...this.#idleTenant.keys()];
    for (const client of all) this.drop(client);
    await Promise.allSettled(all.map((client) => client.destroy()));
  }

  #open(): Client {
    const client = new Client(this.#origin, {
      connect: this.#connect,
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEAD_BYTES,
      strictContentLength: true,
      // Deadlines are the sweeper's: these would cost a timer for every chunk.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    client.on('disconnect', () => {
      if (this.#idleTenant.has(client)) this.drop(client);
    });
    return client;
  }

  #forget(client: Client): void {
    const tenantId = this.#idleTenant.get(client);
    if (tenantId === undefined) return;
    this.#idleTenant.delete(client);
    const left = (this.#idle.get(tenantId) ?? []).filter((kept) => kept !== client);
    if (left.length > 0) this.#idle.set(tenantId, left);
    else this.#idle.delete(tenantId);
  }
}
