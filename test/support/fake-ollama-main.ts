import { startFakeOllama } from './fake-ollama.ts';
import type { FakeOptions } from './fake-ollama.ts';

/**
 * The fake as a process of its own: options as JSON in the first argument, its address as one
 * JSON line on stdout. Ends when its stdin does, so give it a pipe: it cannot outlive its parent.
 */
const options = JSON.parse(process.argv[2] ?? '{}') as FakeOptions;
const fake = await startFakeOllama({ record: false, ...options });
process.stdout.write(`${JSON.stringify({ url: fake.url, pid: process.pid })}\n`);
process.stdin.resume();
process.stdin.once('end', () => void fake.close());
