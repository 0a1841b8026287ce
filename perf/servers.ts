import { z } from 'zod';
import { startBuilt } from './child.ts';
import { startGateway } from './gateway.ts';
import type { GatewayPlan } from './gateway.ts';
import { startCaddy, startNginx } from './rivals.ts';
import { makeFakeOptions } from './scenarios.ts';
import type { Server } from './server.ts';

const UPSTREAM = 'test/support/fake-ollama-main.js';
const addressShape = z.object({ url: z.string() });

export interface Servers {
  readonly servers: readonly Server[];
  /** Rivals that are not to be had here, and why. */
  readonly missing: readonly string[];
  stop(): Promise<void>;
}

/** Starts the upstream, what is compared in front of it, and the direct way to it. */
export async function startServers(plan: Omit<GatewayPlan, 'upstream'>): Promise<Servers> {
  const upstream = startBuilt(UPSTREAM, JSON.stringify(makeFakeOptions()));
  const { url } = addressShape.parse(await upstream.readJson());
  const full = { ...plan, upstream: url };
  const direct: Server = {
    name: 'direct',
    url,
    headers: {},
    pid: undefined,
    facts: 'the fake Ollama, without anything in front of it',
    stop: () => upstream.stop(),
  };
  const servers = [direct];
  const missing: string[] = [];
  for (const [name, start] of [['nginx', startNginx] as const, ['Caddy', startCaddy] as const]) {
    try {
      servers.push(await start(full));
    } catch (error) {
      missing.push(`${name}: not measured (${String(error).split('\n')[0] ?? ''})`);
    }
  }
  servers.push(await startGateway(full));
  return {
    servers,
    missing,
    stop: async () => {
      for (const server of servers.toReversed()) await server.stop();
    },
  };
}
