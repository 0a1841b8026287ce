import type { Environment } from '../../lib/config/read-sources.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { examine } from './check.ts';
import type { Check } from './check.ts';
import { examineHost } from './examine-host.ts';
import { examinePostgres } from './examine-postgres.ts';
import { examineRedis } from './examine-redis.ts';
import { examineUpstreams } from './examine-upstreams.ts';
import { lookAtSettings } from './some-settings.ts';

/** Every check there is. Never rejects; what one dependency keeps waiting, no other waits for. */
export async function examineAll(
  environment: Environment,
  clock: Clock,
): Promise<readonly Check[]> {
  const settings = await examine({ name: 'settings', look: () => lookAtSettings(environment) });
  const host = await examineHost(environment, clock);
  const others = await Promise.all([
    examinePostgres(environment, clock),
    examineRedis(environment, clock),
    examineUpstreams(environment, clock),
  ]);
  return [settings, ...others.flat(), ...host];
}
