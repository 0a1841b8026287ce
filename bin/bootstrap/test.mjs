import { preparePackages } from './packages.mjs';
import { NODE, pinnedEnvironment } from './paths.mjs';
import { becomeCommand } from './run.mjs';

// `npm test [-- --grep X | --fast]`: whatever is missing is installed, then all gates run under the
// pinned Node.
await preparePackages();
becomeCommand(NODE, ['bin/bootstrap/gates.mjs', ...process.argv.slice(2)], {
  env: pinnedEnvironment(),
});
