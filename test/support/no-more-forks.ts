import { closeSync, openSync } from 'node:fs';

/** Longer than Linux takes a single text of the environment. */
const TOO_LONG = 'x'.repeat(200_000);

/** Why no process can be started, and how that is brought about in this one; gives what ends it. */
export const NO_FORKS: Readonly<Record<'EMFILE' | 'E2BIG', () => () => void>> = {
  /** Node tells it later, of a process without a channel. */
  EMFILE: () => {
    const files: number[] = [];
    try {
      for (;;) files.push(openSync('/dev/null', 'r'));
    } catch {
      return () => {
        for (const file of files) closeSync(file);
      };
    }
  },
  /** Node throws it in line, as ENOMEM. */
  E2BIG: () => {
    process.env['NZGW_TEST_TOO_LONG'] = TOO_LONG;
    return () => {
      delete process.env['NZGW_TEST_TOO_LONG'];
    };
  },
};
