import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { systemClock } from '../../../lib/time/clock.ts';
import { HOST_ADDRESS } from './client-network.ts';
import type { ClientNetwork } from './client-network.ts';
import type { Stack } from './stack.ts';

export const DOMAIN = 'api.neuronetz.ai';
export const MODEL = 'demo-echo:latest';
const WITHIN_SECONDS = 60;

export interface Reply {
  /** curl's exit code: 0 if the answer came as a whole. */
  readonly code: number;
  readonly text: string;
  /** When each piece came, in ms since the request. */
  readonly atMs: readonly number[];
}

export interface Request {
  readonly key: string;
  readonly path: string;
  /** A body makes it a POST. */
  readonly body?: object;
  readonly headers?: readonly string[];
}

/** Lets every curl find the domain at this host and believe Caddy's own authority. */
export async function prepareCurl(stack: Stack): Promise<void> {
  const authority = '/data/caddy/pki/authorities/local/root.crt';
  await writeFile(`${stack.folder}/ca.crt`, await stack.inside('caddy', 'cat', authority));
  const lines = [
    `connect-to = "${DOMAIN}:443:${HOST_ADDRESS}:443"`,
    `cacert = "${stack.folder}/ca.crt"`,
  ];
  await writeFile(`${stack.folder}/.curlrc`, `${lines.join('\n')}\n`);
}

/** What a client with an address of its own hears. `onPiece` is told of every piece as it comes. */
export function ask(
  stack: Stack,
  { prefix: [command, ...before] }: ClientNetwork,
  { key, path, body, headers = [] }: Request,
  onPiece: () => void = () => undefined,
): Promise<Reply> {
  const args = ['--silent', '--show-error', '--no-buffer', '--include'];
  args.push('--max-time', `${WITHIN_SECONDS}`, '--header', `Authorization: Bearer ${key}`);
  for (const header of headers) args.push('--header', header);
  if (body) args.push('--data', JSON.stringify(body));
  const startedMs = systemClock.monotonicMs();
  return new Promise((resolve, reject) => {
    const url = `https://${DOMAIN}${path}`;
    const child = spawn(command, [...before, 'curl', ...args, url], { env: stack.env });
    const atMs: number[] = [];
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      atMs.push(systemClock.monotonicMs() - startedMs);
      onPiece();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? 1, text, atMs });
    });
  });
}

/** A chat with the demo model, which says again what it is told: a line a word, ten a second. */
export function toChat(words: number): object {
  const content = Array.from({ length: words }, (_, index) => `word${index}`).join(' ');
  return { model: MODEL, messages: [{ role: 'user', content }] };
}
