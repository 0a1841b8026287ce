import { buildIfStale } from './dist.mjs';
import { preparePackages } from './packages.mjs';
import { NODE, pinnedEnvironment } from './paths.mjs';
import { becomeCommand } from './run.mjs';

// `npm start [-- --once …]`: whatever is missing is installed and built, then the quickstart runs
// under the pinned Node.
await preparePackages();
if (!(await buildIfStale())) process.exit(1);
becomeCommand(NODE, ['dist/bin/nzgw.js', 'quickstart', ...process.argv.slice(2)], {
  env: pinnedEnvironment(),
});
