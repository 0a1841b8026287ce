import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { CommandError } from '../program/command-error.ts';
import { EXIT } from '../program/exit-code.ts';

const HOST = '127.0.0.1';
const TRIES = 100;

/** The wanted port of 127.0.0.1, else the next one that is free, else any. */
export async function findFreePort(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + TRIES && port <= 65_535; port += 1) {
    if ((await tryPort(port)) !== undefined) return port;
  }
  return (await tryPort(0)) ?? wanted;
}

/** That port and no other. Throws CommandError if it is taken. */
export async function demandPort(port: number): Promise<number> {
  if ((await tryPort(port)) !== undefined) return port;
  throw new CommandError(`port ${port} is taken`, {
    exitCode: EXIT.conflict,
    code: 'port_taken',
    hint: 'Name another one with --port, or none: a free one is found then.',
  });
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, HOST);
    await once(server, 'listening');
    const { port: bound } = server.address() as AddressInfo;
    const closed = once(server, 'close');
    server.close();
    await closed;
    return bound;
  } catch {
    return undefined;
  }
}
