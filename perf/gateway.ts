import { openSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { demandNzgw, PROGRAM } from '../bin/quickstart/nzgw-child.ts';
import { findFreePort } from '../bin/quickstart/free-port.ts';
import { startPrivatePostgres } from '../bin/quickstart/private-postgres.ts';
import { startPrivateRedis } from '../bin/quickstart/private-redis.ts';
import { ROOT } from '../lib/root.ts';
import { makeClient } from '../lib/store/postgres.ts';
import type { PostgresClient } from '../lib/store/postgres.ts';
import { until } from '../test/support/until.ts';
import type { Server } from './server.ts';

const FIRST_PORT = 28_080;
/** Of no worth elsewhere. */
export const PEPPER = 'a pepper for measuring, thirty-two bytes and more';
const CAUGHT_UP_WITHIN_MS = 60_000;
/** Limits that are checked with every request, and never reached. */
const LIMITS = ['--rpm=100M', '--tpm=100G', '--concurrency=10000', '--budget=100G/month'];

export interface GatewayPlan {
  readonly directory: string;
  readonly upstream: string;
  readonly workers: number;
  /** A built file that is loaded before the product, for what only a measurement may change. */
  readonly hook?: string | undefined;
}

/** The gateway with what is needed to add to its database and to read it. */
export interface PerfGateway extends Server {
  readonly databaseUrl: string;
  /** What `nzgw` needs. */
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The built product with everything on: a key and a tenant with all four limits each, Redis with AOF,
 * Postgres with fsync, audit, metrics, a log line a request.
 */
export async function startGateway(plan: GatewayPlan): Promise<PerfGateway> {
  const { directory, workers } = plan;
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o711);
  const postgres = await startPrivatePostgres({ directory: join(directory, 'postgres') });
  const redis = await startPrivateRedis({ directory: join(directory, 'redis'), appendOnly: true });
  const databaseUrl = postgres.url('postgres');
  const port = await findFreePort(FIRST_PORT);
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    PATH: process.env['PATH'],
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    OLLAMA_URL: plan.upstream,
    NZGW_KEY_PEPPER: PEPPER,
    NZGW_PORT: String(port),
    NZGW_ADMIN_PORT: '0',
    NZGW_WORKERS: String(workers),
  };
  const key = await makeKey(environment);
  const child = await serve(directory, url, { ...environment, ...loadHook(plan.hook) });
  const audit = makeClient({ url: databaseUrl, applicationName: 'perf', timeoutMs: 10_000 });
  await audit.connect();
  return {
    name: 'neuronetz-gateway',
    translates: true,
    url,
    headers: { authorization: `Bearer ${key}` },
    pid: child.pid,
    databaseUrl,
    environment,
    stores: { Redis: redis.pid, Postgres: postgres.pid },
    facts:
      `${workers} workers; key and tenant with four limits each; audit, metrics, ` +
      'a log line a request; Redis with AOF everysec, Postgres with fsync',
    settle: (answered) => waitForAudit(audit, answered),
    stop: async () => {
      await audit.end();
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      await redis.stop();
      await postgres.stop();
    },
  };
}

function loadHook(hook: string | undefined): NodeJS.ProcessEnv {
  return hook === undefined
    ? {}
    : { NODE_OPTIONS: `--import=${new URL(`dist/${hook}`, ROOT).href}` };
}

async function makeKey(environment: NodeJS.ProcessEnv): Promise<string> {
  await demandNzgw(['migrate'], environment, z.unknown());
  await demandNzgw(['create-tenant', 'perf', '--all-models', ...LIMITS], environment, z.unknown());
  const made = z.object({ key: z.string() });
  return (await demandNzgw(['create-key', 'perf', ...LIMITS], environment, made)).key;
}

async function serve(
  directory: string,
  url: string,
  environment: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  const log = openSync(join(directory, 'gateway.log'), 'w');
  const child = spawn(process.execPath, [PROGRAM, 'serve'], {
    env: environment,
    stdio: ['ignore', log, log],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
      const answer = await fetch(`${url}/readyz`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    },
    { withinMs: 30_000, what: 'the gateway to be ready' },
  );
  return child;
}

/** Every answered request has its row, no more and no less; waits until they are in Postgres. */
async function waitForAudit(audit: PostgresClient, answered: number): Promise<void> {
  await until(
    async () => {
      const { rows } = await audit.query<{ count: number }>(
        "select count(*) as count from gateway.audit_log where outcome = 'ok'",
      );
      const count = rows[0]?.count ?? 0;
      if (count > answered) throw new Error(`${count} audit rows for ${answered} requests`);
      return count === answered;
    },
    { withinMs: CAUGHT_UP_WITHIN_MS, what: `an audit row for each of ${answered} requests` },
  );
}
