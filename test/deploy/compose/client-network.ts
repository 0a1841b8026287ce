import { demand, run } from './command.ts';

const NAME = 'nzgw-client';
const OUTER = 'nzgwc0';
const INNER = 'nzgwc1';
/** The documentation's network of RFC 5737: nobody else has an address in it. */
export const HOST_ADDRESS = '192.0.2.1';
export const CLIENT_ADDRESS = '192.0.2.2';

export interface ClientNetwork {
  /** What goes before a program that is to run there. */
  readonly prefix: readonly [string, ...string[]];
  remove(): Promise<void>;
}

/** A client with a cable to this host and an address of its own, as a customer's has. */
export async function makeClientNetwork(): Promise<ClientNetwork> {
  const remove = async (): Promise<void> => {
    await run('ip', ['link', 'delete', OUTER]);
    await run('ip', ['netns', 'delete', NAME]);
  };
  await remove();
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
