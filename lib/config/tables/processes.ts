import { existsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { lasting, optional, withDefault } from '../definition.ts';
import { choice, firstPath, host, integer, networks, webOrigins } from '../kinds.ts';

export const PROCESSES = {
  host: lasting(withDefault('NZGW_HOST', host, '127.0.0.1', 'Address of the public listener.')),
  port: lasting(
    withDefault(
      'NZGW_PORT',
      integer(0, 65_535),
      8_080,
      'Port of the public listener; 0 takes a free one.',
    ),
  ),
  adminHost: lasting(
    withDefault(
      'NZGW_ADMIN_HOST',
      host,
      '127.0.0.1',
      'Address of the admin listener (health, metrics).',
    ),
  ),
  adminPort: lasting(
    withDefault(
      'NZGW_ADMIN_PORT',
      integer(0, 65_535),
      9_464,
      'Port of the admin listener; 0 takes a free one.',
    ),
  ),
  workers: {
    ...lasting(
      withDefault(
        'NZGW_WORKERS',
        integer(1, 64),
        Math.min(8, availableParallelism()),
        'HTTP worker processes.',
      ),
    ),
    shownFallback: 'cores, at most 8',
  },
  trustedProxies: withDefault(
    'NZGW_TRUSTED_PROXIES',
    networks,
    '127.0.0.0/8,::1',
    'Peers whose X-Forwarded-For is believed.',
  ),
  corsOrigins: optional(
    'NZGW_CORS_ORIGINS',
    webOrigins,
    'Web pages whose scripts may call the gateway from a browser (CORS); none: no page may. A key is asked for all the same.',
  ),
  logLevel: withDefault(
    'LOG_LEVEL',
    choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'Least level that is logged.',
  ),
  drainSeconds: withDefault(
    'NZGW_DRAIN_SECONDS',
    integer(0, 3_600),
    30,
    'How long streams may go on after SIGTERM, and in a worker that is replaced after SIGHUP.',
  ),
  primarySilenceSeconds: withDefault(
    'NZGW_PRIMARY_SILENCE_SECONDS',
    integer(3, 3_600),
    30,
    'A worker that hears nothing of its primary for so long kills it and ends, so that the service manager starts both anew.',
  ),
  runtimeDirectory: {
    ...lasting(
      withDefault(
        'RUNTIME_DIRECTORY',
        firstPath,
        existsSync('/dev/shm') ? '/dev/shm' : tmpdir(),
        'A folder, best a tmpfs, for the shared-memory file; systemd sets it.',
      ),
    ),
    shownFallback: '/dev/shm, else the temporary folder',
  },
} as const;
