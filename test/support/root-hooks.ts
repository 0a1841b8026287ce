import { stopAll } from './stop-at-end.ts';

/** Loaded by .mocharc.json: ends the Postgres and Redis that the tests of this process shared. */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(30_000);
    await stopAll();
  },
};
