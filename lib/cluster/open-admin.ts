import type { Settings } from '../config/settings.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import { openAdminServer } from './admin-server.ts';
import type { AdminParts, AdminServer } from './admin-server.ts';

export interface OpenAdminParts {
  readonly settings: Pick<Settings, 'adminHost' | 'adminPort'>;
  readonly log: Logger;
  readonly watched: Pick<AdminParts, 'readiness' | 'renderMetrics'>;
}

/** The admin listener; undefined where its port cannot be had, and the log says so. */
export async function openAdmin(parts: OpenAdminParts): Promise<AdminServer | undefined> {
  const { log, watched } = parts;
  const { adminHost: host, adminPort } = parts.settings;
  try {
    const admin = await openAdminServer({
      host,
      port: adminPort,
      readiness: () => watched.readiness(),
      renderMetrics: () => watched.renderMetrics(),
    });
    log.info({ event: 'admin_listening', host, port: admin.port }, 'admin listener');
    return admin;
  } catch (error) {
    log.fatal(
      { event: 'admin_failed', host, port: adminPort, ...describeError(error) },
      `the admin listener cannot listen on ${host}:${adminPort}`,
    );
    return undefined;
  }
}
