import { build } from './dist.mjs';

// `npm run build`: dist/ made afresh.
process.exitCode = (await build()) ? 0 : 1;
