import { closeSync, openSync, readSync, statSync } from 'node:fs';

const MOST_BYTES = 65_536;

/** Where a text may come from: a pipe gives it once, and may never give it. */
export interface TextOptions {
  readonly pipes: boolean;
}

/**
 * The text of a small file, without the newline at its end. A pipe will do too, unless told otherwise.
 * @throws Error with a `code`: of the system, EFBIG above 64 KiB, NOT_A_FILE.
 */
export function readTextFile(path: string, { pipes }: TextOptions = { pipes: true }): string {
  if (!pipes && !statSync(path).isFile()) {
    throw Object.assign(new Error('not a file'), { code: 'NOT_A_FILE' });
  }
  const buffer = Buffer.alloc(MOST_BYTES + 1);
  const file = openSync(path, 'r');
  let length = 0;
  try {
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null);
    }
  } finally {
    closeSync(file);
  }
  if (length > MOST_BYTES) throw Object.assign(new Error('file too large'), { code: 'EFBIG' });
  return buffer.toString('utf8', 0, length).replace(/\r?\n$/, '');
}

/** The code of a file error, for a text that shows nothing else of it. */
export function readErrorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unreadable';
}
