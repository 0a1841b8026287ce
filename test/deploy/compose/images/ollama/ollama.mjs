#!/usr/bin/env node
import { existsSync, readdirSync, writeFileSync } from 'node:fs';

// `ollama serve`, `list` and `pull MODEL`. A model that is pulled is a file of the volume, for the
// test to see that both services have the same one; what the demo server serves does not change.
const MODELS = '/root/.ollama';
const [host, port = '11434'] = (process.env.OLLAMA_HOST ?? '127.0.0.1').split(':');
const [, , command, model] = process.argv;

if (command === 'serve') {
  process.argv.splice(2, 9, '--host', host, '--port', port, '--token-ms', '100');
  await import('/srv/bin/quickstart/demo-server-main.ts');
} else {
  const answer = await fetch(`http://127.0.0.1:${port}/api/tags`).catch(() => undefined);
  if (answer?.status !== 200) {
    process.stderr.write('Error: could not connect to ollama server\n');
    process.exit(1);
  }
  if (command === 'pull') writeFileSync(`${MODELS}/${model}`, '');
  process.stdout.write(`${existsSync(MODELS) ? readdirSync(MODELS).join('\n') : ''}\n`);
}
