import { findDebianProgram } from './debian-program.ts';

/** Where there is no answer in so long, there is no Caddy. */
const WITHIN_MS = 60_000;

/**
 * Caddy: that of the machine, else of Debian's package, fetched once. Undefined where neither can be
 * had; that is said on stderr.
 */
export async function findCaddy(): Promise<string | undefined> {
  try {
    return await findDebianProgram('caddy', { withinMs: WITHIN_MS });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : '';
    process.stderr.write(`CADDY CANNOT BE HAD, deploy/Caddyfile is not tested: ${why ?? ''}\n`);
    return undefined;
  }
}
