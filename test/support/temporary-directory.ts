import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new folder with a short path, removed by `remove`, or at the latest when the process exits. */
export async function makeTemporaryDirectory(name: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `nzgw-test-${name}-`));
  const removeAtExit = (): void => {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    } catch {
      // A server that is still ending writes into it; a folder left behind is no failure of a test.
    }
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
