import { writeSync } from 'node:fs';

/** Takes whole lines, in line with whoever says them. Never throws. */
export interface LineSink {
  write(line: string): void;
}

const FULL_PIPE_PAUSE_MS = 5;
const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes to a file descriptor, at once: whoever is killed has lost nothing that it said. A full
 * pipe is waited for, as a blocking one would be. Where nothing can be written (a full disk, a reader
 * that left) the line is lost and counted, for no request may fail by what is said about it.
 * `onRecovered` hears how many lines were lost so far, as soon as one goes through again.
 */
export function openLineSink(fd: number, onRecovered: (lost: number) => void): LineSink {
  let lost = 0;
  let told = 0;
  let torn = false;

  return {
    write(line) {
      const bytes = Buffer.from(torn ? `\n${line}` : line);
      const written = writeAll(fd, bytes);
      if (written < bytes.length) {
        lost += 1;
        // What was begun must not become one line with the next.
        if (written > 0) torn = !(torn && written === 1);
        return;
      }
      torn = false;
      if (lost === told) return;
      told = lost;
      onRecovered(lost);
    },
  };
}

/** How many bytes were taken: all, unless there is an error that waiting does not mend. */
function writeAll(fd: number, bytes: Buffer): number {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if (!isFull(error)) return written;
      Atomics.wait(NOBODY_WAKES, 0, 0, FULL_PIPE_PAUSE_MS);
    }
  }
  return written;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}
