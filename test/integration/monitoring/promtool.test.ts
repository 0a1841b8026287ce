import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from '../../../lib/root.ts';
import { findPromtool } from '../../support/find-promtool.ts';
import {
  DASHBOARD,
  readExpressions,
  readText,
  RULES,
  RULES_TEST,
} from '../../support/monitoring-files.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';

interface Verdict {
  readonly code: number;
  readonly text: string;
}

const run = promisify(execFile);
// A test that cannot be made is not there: nothing is ever skipped.
const promtool = await findPromtool();

function ask(...args: readonly string[]): Promise<Verdict> {
  return run(promtool ?? '', args).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, text: stdout + stderr };
    },
  );
}

const pathOf = (name: string): string => fileURLToPath(new URL(name, ROOT));

/** Each as a recording rule: Grafana has no checker of its own. */
function toRules(expressions: readonly string[]): string {
  const rules = expressions.map((expr, n) => ({ record: `panel:${n}`, expr }));
  return JSON.stringify({ groups: [{ name: 'dashboard', rules }] });
}

if (promtool !== undefined) {
  describe('monitoring: as Prometheus reads it', function () {
    this.timeout(120_000);

    it('takes every rule', async () => {
      const { code, text } = await ask('check', 'rules', pathOf(RULES));
      expect(code, text).to.equal(0);
    });

    it('alerts when it should, and only then', async () => {
      const { code, text } = await ask('test', 'rules', pathOf(RULES_TEST));
      expect(code, text).to.equal(0);
    });

    it('takes every query of the dashboard, and would not take a broken one', async () => {
      const directory = await makeTemporaryDirectory('rules');
      try {
        const file = join(directory.path, 'dashboard.yml');
        const expressions = readExpressions(await readText(DASHBOARD));
        await writeFile(file, toRules(expressions));
        const { code, text } = await ask('check', 'rules', file);
        expect(code, text).to.equal(0);
        await writeFile(file, toRules([...expressions, 'sum(rate(gateway_ready[5m])']));
        expect((await ask('check', 'rules', file)).code).to.not.equal(0);
      } finally {
        await directory.remove();
      }
    });
  });
}
