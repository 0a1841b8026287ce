import fc from 'fast-check';
import { readSeed } from './rounds.ts';
import { findLeaks } from './secret-grep.ts';
import { stopAll } from './stop-at-end.ts';

// What a property draws is the commit's too: a tree that passed passes again, and what fails can be repeated.
fc.configureGlobal({ seed: readSeed() });

/**
 * Loaded by .mocharc.json. Ends the Postgres and Redis that the tests of this process shared, and
 * searches all that the gateways of this process said for every key that its tests made.
 */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(30_000);
    await stopAll();
    const leaks = findLeaks();
    if (leaks.length > 0) throw new Error(`a secret was found in: ${leaks.join(', ')}`);
  },
};
