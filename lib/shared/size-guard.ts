/** What the guard looks at, in bytes. */
export interface SizeOfFile {
  /** What the file occupies. */
  readBytes(): number;
  /** What the rows of now take of it; dear. */
  readLiveBytes(): number;
}

/** Shared memory has grown far beyond its rows: something keeps what is over from being used again. */
export class SharedFullError extends Error {
  override readonly name = 'SharedFullError';
  readonly code = 'ERR_SHARED_FULL';
}

/**
 * So much more than its rows the file may take. A stopped reader is killed within seconds; until
 * then the heaviest stream of changes writes less than this.
 */
export const SPARE_BYTES = 256 * 1024 * 1024;

/** A load that changes every row has them twice, and a third time for readers of the one before. */
const MOST_TIMES = 4;

/**
 * The hard bound of shared memory, asked before every write: lmdb itself grows without end (its
 * `mapSize` is a beginning, not a limit), and what it grows in is the host's memory. Throws
 * SharedFullError.
 */
export function makeSizeGuard(size: SizeOfFile, spareBytes: number): () => void {
  let limitBytes = spareBytes;
  return () => {
    const bytes = size.readBytes();
    if (bytes <= limitBytes) return;
    limitBytes = spareBytes + MOST_TIMES * size.readLiveBytes();
    if (bytes > limitBytes) throw new SharedFullError('shared memory has reached its bound');
  };
}
