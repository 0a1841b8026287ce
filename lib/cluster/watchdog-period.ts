import type { Environment } from '../config/read-sources.ts';

/**
 * How often systemd wants a sign of life of this process, in ms; undefined where it wants none.
 * (sd_watchdog_enabled: WATCHDOG_PID, where it is set, names whose signs are wanted.)
 */
export function readWatchdogMs(environment: Environment, pid: number): number | undefined {
  const { WATCHDOG_USEC: period = '', WATCHDOG_PID: wanted } = environment;
  if (wanted !== undefined && wanted !== String(pid)) return undefined;
  return /^[1-9]\d{3,14}$/.test(period) ? Number(period) / 1_000 : undefined;
}
