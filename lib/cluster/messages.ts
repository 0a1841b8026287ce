import type { Reading } from '../metrics/cells.ts';

/** What the primary may say to a worker, and a worker to the primary. Plain data; two closed sets. */

export type FromPrimary =
  | {
      readonly type: 'start';
      /** The shared-memory file, open to read only. */
      readonly sharedPath: string;
      /** How many shards the ledger has, as fixed at `nzgw migrate`. */
      readonly shards: number;
      /** Of this worker's life: its holds in Redis bear it. Never used twice, on any host. */
      readonly incarnation: string;
      /** Its settings, by name, as the primary has read and checked them; with secrets. */
      readonly settings: Readonly<Record<string, string>>;
      readonly primaryPid: number;
      /** As in `readiness`, for a worker that takes the place of another. */
      readonly ready: boolean;
    }
  /** Said every second: a primary that is stopped, or hangs, says nothing. */
  | { readonly type: 'alive' }
  /** The models in shared memory changed: decode them now, not on a request's time. */
  | { readonly type: 'models' }
  /** The directory in shared memory changed: what runs may have to end. */
  | { readonly type: 'changed' }
  /** Dependencies as the primary sees them, for /readyz. */
  | { readonly type: 'readiness'; readonly ready: boolean }
  | {
      readonly type: 'drain';
      readonly graceMs: number;
      /** Another listens in its place: whoever is still connected is served, not refused. */
      readonly replaced: boolean;
    };

export type FromWorker =
  | { readonly type: 'listening'; readonly host: string; readonly port: number }
  /** Said every second, and at the end: what changed since. */
  | { readonly type: 'metrics'; readonly readings: readonly Reading[] }
  /** Said once, before its first admission is sent: from then on its holds may be in Redis. */
  | { readonly type: 'admitting' }
  /** A counter of that shard is to be filled; if its owner is on this host, it looks at once. */
  | { readonly type: 'fills'; readonly shard: number }
  /** Said once a worker can do nothing but exit, with the reason's code. */
  | { readonly type: 'failed'; readonly reason: string };

/** Type guard at the border: a message of another process is `unknown` until it has a known type. */
export function isFromPrimary(message: unknown): message is FromPrimary {
  return hasType(message, ['start', 'alive', 'models', 'changed', 'readiness', 'drain']);
}

export function isFromWorker(message: unknown): message is FromWorker {
  return hasType(message, ['listening', 'metrics', 'admitting', 'fills', 'failed']);
}

function hasType(message: unknown, types: readonly string[]): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    typeof message.type === 'string' &&
    types.includes(message.type)
  );
}
