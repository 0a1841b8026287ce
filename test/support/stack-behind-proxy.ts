import { startFaultProxy } from './fault-proxy.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { startStack } from './stack.ts';
import type { Stack } from './stack.ts';

/** A stack whose gateway reaches Postgres through a proxy, so that Postgres can be away for it alone. */
export async function startStackBehindProxy(): Promise<{ stack: Stack; postgres: FaultProxy }> {
  const made = Promise.withResolvers<FaultProxy>();
  const stack = await startStack({
    through: async (urls) => {
      const proxy = await startFaultProxy(urls.databaseUrl);
      made.resolve(proxy);
      return { ...urls, databaseUrl: proxy.url };
    },
  });
  return { stack, postgres: await made.promise };
}
