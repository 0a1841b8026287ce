import { randomUUID } from 'node:crypto';
import type { Clock } from '../time/clock.ts';

/**
 * A UUIDv7 (RFC 9562): 48 bits of the host's time, the rest random. Ids of one millisecond have no
 * order among themselves. The random part is node's own v4, which is drawn from a filled pool.
 */
export function makeAdmissionId(clock: Pick<Clock, 'wallMs'>): string {
  const time = Math.floor(clock.wallMs()).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
