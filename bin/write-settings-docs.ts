import { writeFile } from 'node:fs/promises';
import { toConfigurationPage, toEnvExample } from '../lib/config/describe-settings.ts';
import { ROOT } from '../lib/root.ts';

await writeFile(new URL('.env.example', ROOT), toEnvExample());
await writeFile(new URL('docs/CONFIGURATION.md', ROOT), toConfigurationPage());
console.log('wrote .env.example and docs/CONFIGURATION.md');
