import { createInterface } from 'node:readline';
import { runLoad } from './load.ts';
import type { LoadPlan } from './load-plan.ts';

/**
 * The load process: a LoadPlan as one JSON line on stdin, a LoadResult as one on stdout. One process
 * for a whole run, so that its code is as hot for the last server as for the first.
 */
for await (const line of createInterface({ input: process.stdin })) {
  const result = await runLoad(JSON.parse(line) as LoadPlan);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
