import { writeFileSync } from 'node:fs';
import mocha from 'mocha';

/** What one mocha run came to, as `npm test` adds it up. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * The spec reporter, which also writes its counts to the file that `--reporter-option counts=…`
 * names. A run that dies before its end leaves no file, and is known by that.
 */
class CountingReporter extends mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file: unknown = (options.reporterOptions as Record<string, unknown> | undefined)?.[
      'counts'
    ];
    if (typeof file !== 'string') return;
    runner.once(mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures } = this.stats;
      const counts: TestCounts = { passed: passes, failed: failures };
      writeFileSync(file, JSON.stringify(counts));
    });
  }
}

// mocha loads a reporter with require().
export { CountingReporter as 'module.exports' };
