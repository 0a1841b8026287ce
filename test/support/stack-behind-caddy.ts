import { expect } from 'chai';
import { askHttp1 } from './caddy-client.ts';
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

/** The same file and product; only the waiting for what never comes is made bearable. */
export function startImpatientStack(program: string): Promise<StackBehindCaddy> {
  const edits = [
    ['read_header 10s', 'read_header 1s'],
    ['read_body 75s', 'read_body 2s'],
  ] as const;
  return startStackBehindCaddy({ program, edits }, { env: { NZGW_BODY_TIMEOUT_SECONDS: '1' } });
}

/** Nothing waits on a connection between Caddy and the gateway for somebody else. */
export async function expectOthersServed({ caddy }: StackBehindCaddy, key: string): Promise<void> {
  const other = await askHttp1(caddy, {
    path: '/api/version',
    headers: { authorization: `Bearer ${key}` },
  });
  expect(other.status, other.body).to.equal(200);
  expect(JSON.parse(other.body)).to.have.property('version');
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
