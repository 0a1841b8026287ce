import { startCaddy } from './start-caddy.ts';
import type { Caddy, CaddyOptions } from './start-caddy.ts';
import { startStack } from './stack.ts';
import type { AuditRow, Stack, StackOptions } from './stack.ts';
import { until } from './until.ts';

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

/** Waits until so many audit rows of a key are of admitted requests, and returns all that are. */
export function readAdmitted(
  stack: Stack,
  keyId: string,
  atLeast: number,
): Promise<readonly AuditRow[]> {
  return until(
    async () => {
      const rows = await stack.readAudit(keyId, 0);
      const admitted = rows.filter(({ outcome }) => outcome !== 'refused');
      return admitted.length >= atLeast && admitted;
    },
    { withinMs: 5_000, what: `${atLeast} audit rows of admitted requests` },
  );
}
