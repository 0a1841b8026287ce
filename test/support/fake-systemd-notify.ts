import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A program called systemd-notify, to be put first on PATH, for machines without systemd. */
export interface FakeSystemdNotify {
  /** PATH and NOTIFY_SOCKET, as a service manager would have set them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Each call's arguments, joined by a space. */
  said(): readonly string[];
}

/** `act`: what it does beside noting what it was told, as a shell has it. */
export function makeFakeSystemdNotify(directory: string, act = ''): FakeSystemdNotify {
  const program = join(directory, 'systemd-notify');
  const socket = join(directory, 'socket');
  writeFileSync(program, `#!/bin/sh\necho "$*" >> "$NOTIFY_SOCKET.said"\n${act}\n`);
  chmodSync(program, 0o755);
  return {
    environment: { PATH: `${directory}:/usr/bin:/bin`, NOTIFY_SOCKET: socket },
    said: () => {
      const file = `${socket}.said`;
      if (!existsSync(file)) return [];
      return readFileSync(file, 'utf8').split('\n').slice(0, -1);
    },
  };
}
