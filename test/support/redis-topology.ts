/** Which kind of Redis the tests of this run start for themselves. */
export type RedisTopology = 'single' | 'cluster';

/**
 * As REDIS_TOPOLOGY says, `single` where it is not set.
 * @throws Error for a word that is neither: a run that tests something else than asked is no result
 */
export function readTopology(environment: NodeJS.ProcessEnv = process.env): RedisTopology {
  const asked = environment['REDIS_TOPOLOGY'] ?? 'single';
  if (asked === 'single' || asked === 'cluster') return asked;
  throw new Error(`REDIS_TOPOLOGY is ${asked}; it may be single or cluster`);
}
