import { isIPv6 } from 'node:net';
import type { Settings } from '../../lib/config/settings.ts';
import { usageError } from '../program/command-error.ts';

/** Where one reaches every address of a machine from itself. */
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' };

/** The public listener's address as a client on the same machine calls it. Throws if its port is free. */
export function toDefaultUrl({ host, port }: Pick<Settings, 'host' | 'port'>): string {
  if (port === 0) {
    throw usageError(
      'NZGW_PORT is 0, so the address is not known before the start',
      'nzgw connect CLIENT --url URL',
    );
  }
  const { hostname } = new URL(`http://${isIPv6(host) ? `[${host}]` : host}`);
  return `http://${LOOPBACK[hostname] ?? hostname}:${port}`;
}
