import { findDebianProgram } from './debian-program.ts';

/** Where there is no answer in so long, there is no promtool. */
const WITHIN_MS = 60_000;

/**
 * Prometheus's own checker: that of the machine, else of Debian's package, fetched once. Undefined where
 * neither can be had; that is said on stderr.
 */
export async function findPromtool(): Promise<string | undefined> {
  try {
    return await findDebianProgram('promtool', { packageName: 'prometheus', withinMs: WITHIN_MS });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : '';
    process.stderr.write(`promtool cannot be had, rules are not checked: ${why ?? ''}\n`);
    return undefined;
  }
}
