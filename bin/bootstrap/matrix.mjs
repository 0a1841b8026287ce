import { preparePackages } from './packages.mjs';
import { NODE, pinnedEnvironment } from './paths.mjs';
import { becomeCommand } from './run.mjs';

// `npm run test:matrix [-- --fresh] [file…]`: whatever is missing is installed, then the files run
// with their full counts under the pinned Node.
await preparePackages();
becomeCommand(NODE, ['bin/bootstrap/matrix-run.mjs', ...process.argv.slice(2)], {
  env: pinnedEnvironment(),
});
