/** What the primary may say to a worker, and a worker to the primary. Plain data; two closed sets. */

export type FromPrimary =
  | {
      readonly type: 'start';
      /** The shared-memory file, open to read only. */
      readonly sharedPath: string;
      /** How many shards the ledger has, as fixed at `nzgw migrate`. */
      readonly shards: number;
    }
  /** The models in shared memory changed: decode them now, not on a request's time. */
  | { readonly type: 'models' }
  /** Dependencies as the primary sees them, for /readyz. */
  | { readonly type: 'readiness'; readonly ready: boolean }
  | { readonly type: 'drain'; readonly graceMs: number };

export type FromWorker =
  | { readonly type: 'listening'; readonly host: string; readonly port: number }
  | { readonly type: 'metrics'; readonly snapshot: readonly unknown[] }
  /** Said once a worker can do nothing but exit, with the reason's code. */
  | { readonly type: 'failed'; readonly reason: string };

/** Type guard at the border: a message of another process is `unknown` until it has a known type. */
export function isFromPrimary(message: unknown): message is FromPrimary {
  return hasType(message, ['start', 'models', 'readiness', 'drain']);
}

export function isFromWorker(message: unknown): message is FromWorker {
  return hasType(message, ['listening', 'metrics', 'failed']);
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
