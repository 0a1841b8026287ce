import { mustRun, run } from './host.ts';

/** Another machine, as far as this one can tell: a network of its own, joined by a cable. */
const NAME = 'outside';
/** RFC 5737 and RFC 3849: for documents, and nobody's. */
export const OUTER_ADDRESS = '192.0.2.1';
export const OUTER_ADDRESS6 = '2001:db8::1';
/** curl's exit codes. */
const REFUSED = 7;

export async function plugIn(): Promise<void> {
  const ip = (line: string): Promise<string> => mustRun('ip', ...line.split(' '));
  await ip('link set lo up');
  await ip(`netns add ${NAME}`);
  await ip(`link add nz0 type veth peer name nz1 netns ${NAME}`);
  await ip(`address add ${OUTER_ADDRESS}/24 dev nz0`);
  await ip(`address add ${OUTER_ADDRESS6}/64 dev nz0 nodad`);
  await ip('link set nz0 up');
  await ip(`-netns ${NAME} address add 192.0.2.2/24 dev nz1`);
  await ip(`-netns ${NAME} address add 2001:db8::2/64 dev nz1 nodad`);
  await ip(`-netns ${NAME} link set nz1 up`);
}

export type Reach = 'answers' | 'refused' | 'silent';

/** Asks for a URL from the other machine. */
export function askFromOutside(url: string, ...options: readonly string[]): Promise<Reach> {
  return ask('ip', 'netns', 'exec', NAME, 'curl', url, ...options);
}

/** Asks for a URL on this machine, as another user. */
export function askAs(user: string, url: string): Promise<Reach> {
  return ask('runuser', '-u', user, '--', 'curl', url);
}

async function ask(...command: readonly string[]): Promise<Reach> {
  const [program = '', ...args] = command;
  const { code } = await run(program, ...args, '-gsS', '--output', '/dev/null', '--max-time', '3');
  if (code === 0) return 'answers';
  return code === REFUSED ? 'refused' : 'silent';
}
