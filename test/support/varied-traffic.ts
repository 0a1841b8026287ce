import { post } from './stack.ts';
import type { MadeKey, Stack } from './stack.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };
const BUDGET_TOKENS = 100_000;

/** Who asked, for what there is to see of them. */
export interface VariedTraffic {
  /** Of a tenant with a budget of 100,000 tokens a month. */
  readonly caller: MadeKey;
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>;
}

/** Requests of every kind that a gateway counts apart: both dialects, served, refused, failed. */
export async function makeVariedTraffic(stack: Stack): Promise<VariedTraffic> {
  const { url } = stack.gateway;
  const budget = { ...NO_LIMITS, budgetTokens: BUDGET_TOKENS, budgetPeriod: 'month' as const };
  const caller = await stack.makeKey(await stack.makeTenant({ limits: budget }));
  const limits = { ...NO_LIMITS, budgetTokens: 10, budgetPeriod: 'day' as const };
  const poor = await stack.makeKey(await stack.makeTenant({ limits }));
  const statuses = new Map<number, number>();
  const ask = async (path: string, key: string | undefined, body: unknown): Promise<void> => {
    const response = await post(`${url}${path}`, key, body);
    await response.text();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  };

  for (const stream of [true, false]) {
    await ask('/api/chat', caller.key, { ...CHAT, stream });
    await ask('/v1/chat/completions', caller.key, { ...CHAT, stream });
  }
  await ask('/api/generate', caller.key, { model: 'llama3', prompt: 'hello' });
  await ask('/api/embed', caller.key, { model: 'nomic-embed-text', input: 'hello' });
  await ask('/v1/embeddings', caller.key, { model: 'nomic-embed-text', input: 'hello' });
  await ask('/api/chat', undefined, CHAT);
  await ask('/api/chat', 'nz_wrong', CHAT);
  await ask('/api/chat', caller.key, { ...CHAT, model: 'nobody-has-this' });
  await ask('/api/chat', caller.key, '{');
  await ask('/api/pull', caller.key, CHAT);
  await ask('/nowhere', caller.key, CHAT);
  await ask('/api/chat', poor.key, CHAT);
  stack.ollama.next({ status: 500, body: '{"error":"broken"}' });
  await ask('/api/chat', caller.key, CHAT);
  return { caller, statuses };
}
