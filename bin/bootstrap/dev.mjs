import { preparePackages } from './packages.mjs';
import { NODE, pinnedEnvironment } from './paths.mjs';
import { becomeCommand } from './run.mjs';

const WATCHED = ['bin', 'lib', 'workers', 'sql'];

// `npm run dev [-- --once …]`: `npm start`, built and started again whenever a source changes.
await preparePackages();
becomeCommand(
  NODE,
  [
    ...WATCHED.map((folder) => `--watch-path=${folder}`),
    '--watch-preserve-output',
    'bin/bootstrap/start.mjs',
    ...process.argv.slice(2),
  ],
  { env: pinnedEnvironment() },
);
