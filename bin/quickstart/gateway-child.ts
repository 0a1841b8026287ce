import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import { PROGRAM } from './nzgw-child.ts';
import { stopStaleServer } from './stale-server.ts';
import { waitFor } from './wait-for.ts';

const PID_FILE = 'gateway.pid';
const READY_WITHIN_MS = 60_000;
/** More than NZGW_DRAIN_SECONDS of the quickstart. */
const STOP_WITHIN_MS = 15_000;

/** Starts `nzgw serve`. */
export async function startGateway(
  directory: string,
  environment: NodeJS.ProcessEnv,
): Promise<Child> {
  const child = startChild({
    arguments: [PROGRAM, 'serve'],
    environment,
    logFile: join(directory, 'gateway.log'),
    stopWithinMs: STOP_WITHIN_MS,
  });
  await writeFile(join(directory, PID_FILE), `${child.pid}\n`, { mode: 0o600 });
  return child;
}

/** Ends the gateway that a killed quickstart left behind: it would hold the port. */
export async function endStrayGateway(directory: string): Promise<void> {
  const file = join(directory, PID_FILE);
  await stopStaleServer(file, PROGRAM, 'SIGTERM');
  await rm(file, { force: true });
}

/** Waits until the public listener says that it is ready. Throws Error with its last words if it ends. */
export async function waitUntilReady(
  child: Child,
  url: string,
  signal: AbortSignal,
): Promise<void> {
  await waitFor(
    async () => {
      if (!child.isRunning()) throw new Error(`the gateway ended:\n${child.readTail()}`);
      const response = await fetch(`${url}/readyz`).catch(() => undefined);
      await response?.body?.cancel();
      return response?.status === 200 ? true : undefined;
    },
    { withinMs: READY_WITHIN_MS, what: 'the gateway to be ready', signal },
  ).catch((error: unknown) => {
    if (signal.aborted || !child.isRunning()) throw error;
    throw new Error(`${String(error)}\n${child.readTail()}`);
  });
}
