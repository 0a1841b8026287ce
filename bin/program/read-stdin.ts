import type { Readable } from 'node:stream';
import { usageError } from './command-error.ts';

/**
 * The first line of stdin, without spaces around it. From a terminal it ends with the line, from a
 * pipe with the line or the pipe. Throws a usage error beyond `maxBytes`.
 */
export async function readLine(stdin: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer | string>) {
    const part = Buffer.from(chunk);
    chunks.push(part);
    bytes += part.length;
    if (part.includes('\n')) break;
    if (bytes > maxBytes) throw usageError('stdin holds more than a key');
  }
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split('\n');
  return line.trim();
}
