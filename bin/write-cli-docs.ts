import { writeFile } from 'node:fs/promises';
import { ROOT } from '../lib/root.ts';
import { COMMANDS } from './program/commands.ts';
import { toCliPage } from './program/describe-commands.ts';

await writeFile(new URL('docs/CLI.md', ROOT), toCliPage(COMMANDS));
console.log('wrote docs/CLI.md');
