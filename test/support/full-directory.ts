import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** So much room there is. */
export const ROOM_BYTES = 2 * 1024 * 1024;
const MORE_BYTES = 64 * 1024 * 1024;

/** A folder with little room for files. */
export interface FullDirectory {
  readonly path: string;
  /** A small tmpfs where one may be mounted; else a limit of the process on the size of a file. */
  readonly kind: 'tmpfs' | 'limit';
  /** The command that whoever writes there is run with. */
  readonly prefix: readonly string[];
  /** Now only so many bytes are left, of any file; gives what to run a new process with. */
  leaveRoom(bytes: number): readonly string[];
  /** `pid`: of the process that writes. */
  makeRoom(pid: number): void;
  remove(): void;
}

export function makeFullDirectory(): FullDirectory {
  const path = mkdtempSync(join(tmpdir(), 'nzgw-full-'));
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${ROOM_BYTES}`, 'tmpfs', path]);
  const kind = mount.status === 0 ? 'tmpfs' : 'limit';
  const remove = (): void => {
    process.off('exit', remove);
    if (kind === 'tmpfs') spawnSync('umount', ['--lazy', path]);
    rmSync(path, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return {
    path,
    kind,
    prefix: kind === 'tmpfs' ? [] : ['prlimit', `--fsize=${ROOM_BYTES}:${MORE_BYTES}`],
    leaveRoom: (bytes) => {
      // A page is the least that a limit lets the tables fail at: they need several.
      if (kind === 'limit') return ['prlimit', `--fsize=${Math.min(bytes, 16_384)}`];
      writeFileSync(join(path, 'other'), Buffer.alloc(ROOM_BYTES - bytes));
      return [];
    },
    makeRoom: (pid) => {
      if (kind === 'tmpfs') execFileSync('mount', ['-o', `remount,size=${MORE_BYTES}`, path]);
      else execFileSync('prlimit', ['--pid', String(pid), `--fsize=${MORE_BYTES}`]);
    },
    remove,
  };
}
