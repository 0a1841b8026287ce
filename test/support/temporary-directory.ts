import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REMOVALS = 40;
const REMOVAL_PAUSE_MS = 25;

export interface TemporaryDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new folder with a short path, removed by `remove`, or at the latest when the process exits. */
export async function makeTemporaryDirectory(name: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `nzgw-test-${name}-`));
  const removeAtExit = (): void => {
    removeNow(path);
  };
  process.on('exit', removeAtExit);
  return {
    path,
    remove: async () => {
      process.off('exit', removeAtExit);
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * A server that was only just told to end may still write there: hence the patience. rmSync stops
 * half-way without an error then.
 */
function removeNow(path: string): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let removal = 0; removal < REMOVALS && existsSync(path); removal += 1) {
    if (removal > 0) Atomics.wait(pause, 0, 0, REMOVAL_PAUSE_MS);
    rmSync(path, { recursive: true, force: true });
  }
}
