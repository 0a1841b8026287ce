import { ROOT } from '../../lib/root.ts';

/** A worker process that only its primary talks to. */
export const PLAIN_WORKER = new URL('test/fixtures/cluster/plain-worker.ts', ROOT);

export type Manner = 'mute' | 'deaf' | 'stays' | 'hears' | 'loses';

/** Workers that are started from now on behave so; without one, as they should. */
export function setManner(manner?: Manner): void {
  if (manner === undefined) delete process.env['NZGW_TEST_WORKER'];
  else process.env['NZGW_TEST_WORKER'] = manner;
}
