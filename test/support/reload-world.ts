import type { Agent } from 'node:http';
import { request } from 'node:http';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from './is-running.ts';
import { startStack } from './stack.ts';
import type { MadeKey, Stack } from './stack.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';
import { listWorkers } from './worker-client.ts';

const DIE = new URL('../fixtures/cluster/die-on-demand.ts', import.meta.url);

/** One that asked: its status, or the code of what went wrong with the connection. */
export type Outcome = number | string;

/** A gateway with a file of settings beside its environment, and a key. */
export interface ReloadWorld {
  readonly stack: Stack;
  readonly caller: MadeKey;
  /** What it does with NZGW_MAX_BODY_BYTES tells which settings are in force. */
  writeSettings(settings: Readonly<Record<string, string>>): void;
  /** Sends SIGHUP and waits for so many events of that name in all. */
  reload(event: string, count?: number): Promise<void>;
  /** Workers that run and have listened. */
  listRunning(): readonly number[];
  /** Processes of the gateway that start from now on die at once, or do so no more. */
  letStartsFail(fail: boolean): void;
  /** Asks for a reply to a body of 3,000 bytes on a connection of its own. */
  askLarge(): Promise<Outcome>;
  stop(): Promise<void>;
}

const RELOADED_WITHIN_MS = 40_000;

export async function openReloadWorld({
  workers = 2,
  drainSeconds = 20,
  settings = {},
}: {
  readonly workers?: number;
  readonly drainSeconds?: number;
  readonly settings?: Readonly<Record<string, string>>;
} = {}): Promise<ReloadWorld> {
  const directory = await makeTemporaryDirectory('reload');
  const file = join(directory.path, 'env');
  const dieFile = join(directory.path, 'die');
  const writeSettings = (all: Readonly<Record<string, string>>): void => {
    const lines = Object.entries(all).map(([name, value]) => `${name}="${value}"\n`);
    writeFileSync(file, lines.join(''), { mode: 0o600 });
  };
  writeSettings(settings);
  const stack = await startStack({
    workers,
    env: {
      NZGW_ENV_FILE: file,
      NZGW_DRAIN_SECONDS: String(drainSeconds),
      NZGW_TEST_DIE_FILE: dieFile,
      NODE_OPTIONS: `--import=${DIE.href}`,
    },
  });
  const caller = await stack.makeCaller();
  const { gateway } = stack;
  return {
    stack,
    caller,
    writeSettings,
    reload: async (event, count = 1) => {
      gateway.kill('SIGHUP');
      await until(() => gateway.events(event).length >= count, {
        withinMs: RELOADED_WITHIN_MS,
        what: `${count} of ${event}`,
      });
    },
    listRunning: () => listWorkers(gateway).filter(isRunning),
    letStartsFail: (fail) => {
      if (fail) writeFileSync(dieFile, '');
      else rmSync(dieFile);
    },
    askLarge: () => askOnce(gateway.url, caller.key, { content: 'x'.repeat(3_000) }),
    stop: async () => {
      await stack.stop();
      await directory.remove();
    },
  };
}

/** A chat, read to its end, on a connection of its own or of the agent. */
export function askOnce(
  url: string,
  key: string,
  { content = 'hello', agent = false }: { content?: string; agent?: Agent | false } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const sent = request(`${url}/api/chat`, {
      method: 'POST',
      agent,
      headers: { authorization: `Bearer ${key}` },
    });
    const fail = (error: NodeJS.ErrnoException): void => {
      resolve(error.code ?? error.name);
    };
    sent.once('error', fail);
    sent.once('response', (response) => {
      response.once('error', fail);
      response.once('close', () => {
        resolve(response.complete ? (response.statusCode ?? 0) : 'cut');
      });
      response.resume();
    });
    const messages = [{ role: 'user', content }];
    sent.end(JSON.stringify({ model: 'llama3', messages, options: { num_predict: 3 } }));
  });
}

/** Asks one after another, so many at once, until it is told to stop; what each got. */
export function keepAsking(
  ask: () => Promise<Outcome>,
  parallel: number,
): { stop(): Promise<readonly Outcome[]> } {
  const outcomes: Outcome[] = [];
  const stopped = new AbortController();
  const lane = async (): Promise<void> => {
    while (!stopped.signal.aborted) outcomes.push(await ask());
  };
  const lanes = Promise.all(Array.from({ length: parallel }, lane));
  return {
    stop: async () => {
      stopped.abort();
      await lanes;
      return outcomes;
    },
  };
}
