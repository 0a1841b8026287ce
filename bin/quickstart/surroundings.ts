import { join } from 'node:path';
import { choosePostgresDirectory } from './data-directory.ts';
import { findUsualOllama, startDemoModels, useNamedOllama, USUAL_OLLAMA } from './model-source.ts';
import type { ModelSource } from './model-source.ts';
import { startPrivatePostgres } from './private-postgres.ts';
import { startPrivateRedis } from './private-redis.ts';
import type { Progress } from './progress.ts';
import type { Stops } from './stops.ts';

/** What the steps of a start share. */
export interface Start {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly stops: Stops;
  readonly signal: AbortSignal;
}

/** The Postgres that was named, else a private one. Resolves to its URL. */
export async function openPostgres(start: Start): Promise<string> {
  const named = start.environment['DATABASE_URL'];
  if (named !== undefined) {
    start.progress.note('postgres: the one of DATABASE_URL');
    return named;
  }
  start.signal.throwIfAborted();
  const directory = await choosePostgresDirectory(start.directory);
  return start.progress.step(
    async () => {
      const postgres = await startPrivatePostgres({
        directory,
        say: (line) => {
          start.progress.note(line);
        },
      });
      start.stops.add(() => postgres.stop());
      return postgres.url('postgres');
    },
    () => `postgres    private, in ${directory}`,
  );
}

/** The Redis that was named, else a private one. Resolves to its URL. */
export async function openRedis(start: Start): Promise<string> {
  const named = start.environment['REDIS_URL'];
  if (named !== undefined) {
    start.progress.note('redis: the one of REDIS_URL');
    return named;
  }
  start.signal.throwIfAborted();
  const directory = join(start.directory, 'redis');
  return start.progress.step(
    async () => {
      const redis = await startPrivateRedis({
        directory,
        appendOnly: true,
        say: (line) => {
          start.progress.note(line);
        },
      });
      start.stops.add(() => redis.stop());
      return redis.url;
    },
    () => `redis       private, in ${directory}`,
  );
}

/** The Ollama that was named, else that of this machine, else the demo models. */
export async function openModels(start: Start, named: string | undefined): Promise<ModelSource> {
  start.signal.throwIfAborted();
  const { progress } = start;
  const url = named ?? start.environment['OLLAMA_URL'];
  if (url !== undefined) {
    const source = await useNamedOllama(url);
    progress.note(`ollama: the one at ${url}, with ${source.model}`);
    return source;
  }
  const usual = await findUsualOllama();
  if (usual !== undefined) {
    progress.note(`ollama: the one at ${USUAL_OLLAMA}, with ${usual.model}`);
    return usual;
  }
  progress.note(`no Ollama with a model that chats answers at ${USUAL_OLLAMA}:`);
  progress.line('   a demo model stands in, which only repeats what it hears');
  return progress.step(
    () => startDemoModels(start.directory, start),
    (source) => `demo models at ${source.url}`,
  );
}
