import { startCaddy } from './start-caddy.ts';
import type { Caddy, CaddyOptions } from './start-caddy.ts';
import { startStack } from './stack.ts';
import type { Stack, StackOptions } from './stack.ts';

/** A whole product with Caddy in front of it. */
export interface StackBehindCaddy extends Stack {
  readonly caddy: Caddy;
}

export async function startStackBehindCaddy(
  { program, edits = [] }: Pick<CaddyOptions, 'program' | 'edits'>,
  options: StackOptions = {},
): Promise<StackBehindCaddy> {
  const stack = await startStack(options);
  try {
    const upstream = new URL(stack.gateway.url).host;
    const caddy = await startCaddy({ program, upstream, edits });
    return {
      ...stack,
      caddy,
      stop: async () => {
        await caddy.stop();
        await stack.stop();
      },
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
