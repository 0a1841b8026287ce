import { getSystemErrorName } from 'node:util';

/**
 * lmdb failed at the file: EIO or ENOSPC in a full tmpfs (a write that comes to its end half-way is
 * EIO), EFBIG at a limit of the process.
 */
export class SharedIoError extends Error {
  override readonly name = 'SharedIoError';
  /** The system's name of the error, or lmdb's own number. */
  readonly code: string;

  constructor(number: number, cause: unknown) {
    super('the shared-memory file cannot be written', { cause });
    this.code = number > 0 ? getSystemErrorName(-number) : `LMDB${number}`;
  }
}

/** Runs `act`. What lmdb throws bears a bare number, which no log shows; it throws SharedIoError. */
export function nameIoErrors<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'number') {
      throw new SharedIoError(error.code, error);
    }
    throw error;
  }
}
