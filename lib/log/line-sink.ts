import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/** Takes whole lines, in line with whoever says them. Never throws. */
export interface LineSink {
  write(line: string): void;
}

const FULL_PIPE_PAUSE_MS = 5;
/** A reader that takes nothing for so long is not waited for again until it moves. */
const PATIENCE_MS = 500;
const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes to a file descriptor, at once: whoever is killed has lost nothing that it said. A full
 * pipe is waited for, but not for long: streams wait with it. Where nothing can be written (a full
 * disk, a reader that left or hangs) the line is lost and counted, for no request may fail by what is
 * said about it.
 * `onRecovered` hears how many lines were lost so far, as soon as one goes through again.
 */
export function openLineSink(fd: number, onRecovered: (lost: number) => void): LineSink {
  let lost = 0;
  let told = 0;
  let torn = false;
  let patienceMs = PATIENCE_MS;

  return {
    write(line) {
      const bytes = Buffer.from(torn ? `\n${line}` : line);
      const written = writeAll(fd, bytes, patienceMs);
      if (written < bytes.length) {
        lost += 1;
        patienceMs = 0;
        // What was begun must not become one line with the next.
        if (written > 0) torn = !(torn && written === 1);
        return;
      }
      torn = false;
      patienceMs = PATIENCE_MS;
      if (lost === told) return;
      told = lost;
      onRecovered(lost);
    },
  };
}

/**
 * A pipe as stdout is shared with whoever made it and blocks: opened anew, it is ours and does not.
 * Where that cannot be done, and for anything but a pipe, the descriptor itself.
 */
export function openWithoutBlocking(fd: number): number {
  try {
    if (!fstatSync(fd).isFIFO()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd;
  }
}

/** How many bytes were taken: all, unless there is an error that so much waiting does not mend. */
function writeAll(fd: number, bytes: Buffer, patienceMs: number): number {
  let written = 0;
  let leftMs = patienceMs;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
      leftMs = patienceMs;
    } catch (error) {
      if (!isFull(error) || leftMs <= 0) return written;
      leftMs -= FULL_PIPE_PAUSE_MS;
      Atomics.wait(NOBODY_WAKES, 0, 0, FULL_PIPE_PAUSE_MS);
    }
  }
  return written;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}
