import { demand, run } from './command.ts';

const NAME = 'nzgw-client';
const OUTER = 'nzgwc0';
const INNER = 'nzgwc1';
/** Of the range for measurements between networks (RFC 2544), which no network uses to carry anything. */
const NETWORK = '198.18.64';
export const HOST_ADDRESS = `${NETWORK}.1`;
export const CLIENT_ADDRESS = `${NETWORK}.2`;

export interface ClientNetwork {
  /** What goes before a program that is to run there. */
  readonly prefix: readonly [string, ...string[]];
  remove(): Promise<void>;
}

/**
 * A client with a cable to this host and an address of its own, as a customer's has. @throws Error where
 * this host has such an address already.
 */
export async function makeClientNetwork(): Promise<ClientNetwork> {
  const remove = async (): Promise<void> => {
    await run('ip', ['link', 'delete', OUTER]);
    await run('ip', ['netns', 'delete', NAME]);
  };
  await remove();
  const used = await demand('ip', ['-4', 'route', 'show', 'table', 'all']);
  if (used.includes(`${NETWORK}.`)) throw new Error(`${NETWORK}.0/24 is in use here`);
  const ip = (line: string): Promise<string> => demand('ip', line.split(' '));
  await ip(`netns add ${NAME}`);
  await ip(`link add ${OUTER} type veth peer name ${INNER} netns ${NAME}`);
  await ip(`address add ${HOST_ADDRESS}/30 dev ${OUTER}`);
  await ip(`link set ${OUTER} up`);
  await ip(`-n ${NAME} address add ${CLIENT_ADDRESS}/30 dev ${INNER}`);
  await ip(`-n ${NAME} link set ${INNER} up`);
  await ip(`-n ${NAME} link set lo up`);
  return { prefix: ['ip', 'netns', 'exec', NAME], remove };
}
