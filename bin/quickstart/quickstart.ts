import { z } from 'zod';
import { claimDirectory } from './single-run.ts';
import { openDataDirectory } from './data-directory.ts';
import { openDemoAccount } from './demo-account.ts';
import type { Running } from './demo-account.ts';
import { demandPort, findFreePort } from './free-port.ts';
import { endStrayGateway, startGateway, waitUntilReady } from './gateway-child.ts';
import type { ModelSource } from './model-source.ts';
import { demandNzgw } from './nzgw-child.ts';
import { openProgress } from './progress.ts';
import { prove } from './proof.ts';
import { openSecrets, saveEnvironment, saveSecrets } from './secrets.ts';
import type { Secrets } from './secrets.ts';
import { openModels, openPostgres, openRedis } from './surroundings.ts';
import type { Start } from './surroundings.ts';
import { Stops } from './stops.ts';

const USUAL_PORT = 8_080;
const USUAL_ADMIN_PORT = 9_464;
const DRAIN_SECONDS = 5;
/** `nz_` and the public id. */
const SHOWN_OF_KEY = 15;

export interface QuickstartOptions {
  readonly directory: string;
  /** Removes what earlier runs made. */
  readonly reset: boolean;
  readonly port?: number | undefined;
  readonly ollamaUrl?: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly write: (line: string) => void;
}

/** A gateway that has proved itself and serves. */
export interface Quickstart {
  readonly url: string;
  readonly key: string;
  readonly model: ModelSource;
  /** Settings by which other commands find it. */
  readonly envFile: string;
  /** Settles when the gateway has ended by itself. */
  readonly gone: Promise<void>;
  readonly readTail: () => string;
  stop(): Promise<void>;
}

/**
 * Starts everything that a gateway needs, then the gateway, and proves it (SPEC §15). Whatever was
 * started is ended again if a step fails or the signal aborts.
 */
export async function startQuickstart(options: QuickstartOptions): Promise<Quickstart> {
  const stops = new Stops();
  try {
    return await startInOrder(options, stops);
  } catch (error) {
    await stops.run();
    throw error;
  }
}

async function startInOrder(options: QuickstartOptions, stops: Stops): Promise<Quickstart> {
  const { directory, signal } = options;
  const progress = openProgress(options.write);
  const start: Start = { ...options, progress, stops };
  await openDataDirectory(directory, options.reset);
  stops.add(await claimDirectory(directory));
  await endStrayGateway(directory);
  const secrets = await openSecrets(directory);
  const listeners = await chooseListeners(options.port);
  const services = await openServices(start, secrets);
  const environment = { ...options.environment, ...services };
  await migrate(start, environment);
  const model = await openModels(start, options.ollamaUrl);

  const settings = { ...services, ...listeners, OLLAMA_URL: model.url };
  const url = `http://127.0.0.1:${settings.NZGW_PORT}`;
  const gateway = await startGateway(directory, {
    NZGW_DRAIN_SECONDS: String(DRAIN_SECONDS),
    ...environment,
    ...settings,
  });
  stops.add(() => gateway.stop());
  await progress.step(
    () => waitUntilReady(gateway, url, signal),
    () => `gateway     ready at ${url}`,
  );
  const running = { url, environment };
  const key = await openKey(start, running, secrets);
  const envFile = await saveEnvironment(directory, settings);
  progress.line('');
  progress.line(' Proof, just now, through the gateway:');
  await prove({
    running,
    databaseUrl: services.DATABASE_URL,
    key,
    model: model.model,
    signal,
    say: (line) => {
      progress.line(`   ${line}`);
    },
  });
  return {
    url,
    key,
    model,
    envFile,
    gone: gateway.gone,
    readTail: () => gateway.readTail(),
    stop: () => stops.run(),
  };
}

interface Services {
  readonly DATABASE_URL: string;
  readonly REDIS_URL: string;
  readonly NZGW_KEY_PEPPER: string;
}

async function openServices(start: Start, secrets: Secrets): Promise<Services> {
  return {
    DATABASE_URL: await openPostgres(start),
    REDIS_URL: await openRedis(start),
    NZGW_KEY_PEPPER: start.environment['NZGW_KEY_PEPPER'] ?? secrets.keyPepper,
  };
}

async function chooseListeners(
  port: number | undefined,
): Promise<Readonly<Record<'NZGW_HOST' | 'NZGW_PORT' | 'NZGW_ADMIN_PORT', string>>> {
  const chosen = port === undefined ? findFreePort(USUAL_PORT) : demandPort(port);
  return {
    NZGW_HOST: '127.0.0.1',
    NZGW_PORT: String(await chosen),
    NZGW_ADMIN_PORT: String(await findFreePort(USUAL_ADMIN_PORT)),
  };
}

async function openKey(
  { directory, progress }: Start,
  running: Running,
  secrets: Secrets,
): Promise<string> {
  const key = await progress.step(
    () => openDemoAccount(running, secrets.demoKey),
    (made) => `tenant      demo, with key ${made.slice(0, SHOWN_OF_KEY)}…`,
  );
  if (key !== secrets.demoKey) await saveSecrets(directory, { ...secrets, demoKey: key });
  return key;
}

async function migrate({ progress, signal }: Start, environment: NodeJS.ProcessEnv): Promise<void> {
  signal.throwIfAborted();
  const shape = z.object({ applied_now: z.array(z.string()) });
  await progress.step(
    () => demandNzgw(['migrate'], environment, shape),
    ({ applied_now }) =>
      applied_now.length === 0
        ? 'schema      up to date'
        : `schema      ${applied_now.length} migrations applied`,
  );
}
