/** What is needed of a key to mark it. */
export interface RevokedKey {
  readonly tenantId: string;
  readonly keyId: string;
}

/** Must settle: a mark that hangs holds up those behind it. */
export type MarkRevoked = (key: RevokedKey) => Promise<void>;

/** Keys that are revoked and not known to be marked. */
export interface RevokedMarks {
  add(keys: Iterable<RevokedKey>): void;
  /** Marks what it can; what it cannot stays for the next time. Never rejects. */
  flush(): Promise<void>;
}

const MAX_UNMARKED = 100_000;
const BATCH = 500;

/**
 * A mark that failed is not forgotten: Redis may be away at the moment of a revocation and be back
 * before the last worker has heard of it.
 */
export function makeRevokedMarks(mark: MarkRevoked, maxUnmarked = MAX_UNMARKED): RevokedMarks {
  const unmarked = new Map<string, RevokedKey>();
  let running: Promise<void> | undefined;

  async function markOne(key: RevokedKey): Promise<boolean> {
    try {
      await mark(key);
    } catch {
      return false;
    }
    unmarked.delete(key.keyId);
    return true;
  }

  async function markAll(): Promise<void> {
    while (unmarked.size > 0) {
      const batch = [...unmarked.values()].slice(0, BATCH);
      const marked = await Promise.all(batch.map(markOne));
      if (marked.includes(false)) return;
    }
  }

  return {
    add(keys) {
      for (const { tenantId, keyId } of keys) {
        unmarked.set(keyId, { tenantId, keyId });
        const [oldest] = unmarked.keys();
        if (unmarked.size > maxUnmarked && oldest !== undefined) unmarked.delete(oldest);
      }
    },
    flush() {
      running ??= markAll().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}
