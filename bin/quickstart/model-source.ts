import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ROOT } from '../../lib/root.ts';
import { CommandError } from '../program/command-error.ts';
import { EXIT } from '../program/exit-code.ts';
import { startChild } from './child.ts';
import { DEMO_CHAT_MODEL } from './demo-models.ts';
import type { Stops } from './stops.ts';
import { waitFor } from './wait-for.ts';

export const USUAL_OLLAMA = 'http://127.0.0.1:11434';

const ASK_WITHIN_MS = 300;
const ASK_NAMED_WITHIN_MS = 5_000;
const DEMO_WITHIN_MS = 10_000;

/** Where models come from. */
export interface ModelSource {
  readonly url: string;
  /** A model that chats, for the proof. */
  readonly model: string;
  readonly demo: boolean;
}

const tagsShape = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      size: z.number().default(0),
      remote_host: z.string().optional(),
      capabilities: z.array(z.string()).optional(),
    }),
  ),
});

const addressShape = z.object({ url: z.string() });

/** The Ollama that was named. Throws CommandError if it does not answer or has no model that chats. */
export async function useNamedOllama(url: string): Promise<ModelSource> {
  const found = await findOllama(url, ASK_NAMED_WITHIN_MS);
  if (found !== undefined) return found;
  throw new CommandError(`no Ollama with a model that chats answers at ${url}`, {
    exitCode: EXIT.unreachable,
    code: 'ollama_unreachable',
    hint: 'Start it and pull a model, or leave --ollama and OLLAMA_URL away for the demo model.',
  });
}

/** The Ollama of this machine, if it answers at once. */
export function findUsualOllama(): Promise<ModelSource | undefined> {
  return findOllama(USUAL_OLLAMA, ASK_WITHIN_MS);
}

async function findOllama(url: string, withinMs: number): Promise<ModelSource | undefined> {
  try {
    const response = await fetch(new URL('/api/tags', url), {
      signal: AbortSignal.timeout(withinMs),
      redirect: 'error',
    });
    const { models } = tagsShape.parse(await response.json());
    // The smallest is the quickest to load.
    const [chosen] = models.filter(canChat).sort((a, b) => a.size - b.size);
    return chosen && { url: new URL(url).origin, model: chosen.name, demo: false };
  } catch {
    return undefined;
  }
}

type Listed = z.infer<typeof tagsShape>['models'][number];

/** Older servers list no capabilities; then the name must do. */
function canChat({ name, remote_host, capabilities }: Listed): boolean {
  if (remote_host !== undefined || /[:-]cloud$/.test(name)) return false;
  return capabilities?.includes('completion') ?? !name.includes('embed');
}

/** Starts the demo model server as a process of its own. */
export async function startDemoModels(
  directory: string,
  { stops, signal }: { readonly stops: Stops; readonly signal: AbortSignal },
): Promise<ModelSource> {
  const logFile = join(directory, 'demo-models.log');
  const main = fileURLToPath(new URL('dist/bin/quickstart/demo-server-main.js', ROOT));
  const child = startChild({
    arguments: [main, '--attached'],
    environment: {},
    logFile,
    stopWithinMs: 3_000,
  });
  stops.add(() => child.stop());
  const url = await waitFor(
    async () => {
      if (!child.isRunning()) throw new Error(`the demo model server ended:\n${child.readTail()}`);
      return readAddress(await readFile(logFile, 'utf8'));
    },
    { withinMs: DEMO_WITHIN_MS, what: 'the demo model server', signal },
  );
  return { url, model: DEMO_CHAT_MODEL, demo: true };
}

function readAddress(log: string): string | undefined {
  const [line = '', ...rest] = log.split('\n');
  return rest.length > 0 ? addressShape.parse(JSON.parse(line)).url : undefined;
}
