import { createHash } from 'node:crypto';
import { RespFrames, readStrings } from './resp-frames.ts';
import type { Command, ReplyPart, Wire } from './wire.ts';

/** What a script needs to be known by: `loadScripts()` gives it. */
export interface NamedScript {
  readonly command: string;
  readonly lua: string;
}

/** Their replies are not one each, so that nothing after them could be matched. */
const UNREADABLE = ['subscribe', 'psubscribe', 'ssubscribe', 'monitor'];
const PUSH = 0x3e;

const NO_PORTS: ReadonlyMap<number, number> = new Map();

/**
 * Reads a connection to Redis; scripts are known by the digest of their text. Where a reply sends the
 * client on to a node of a cluster, each of the `ports` becomes the one that it stands for.
 */
export function makeRedisWire(
  scripts: readonly NamedScript[],
  ports: ReadonlyMap<number, number> = NO_PORTS,
): Wire {
  const commands = new RespFrames();
  const replies = new RespFrames();
  const names = new Map(scripts.map(({ command, lua }) => [digest(lua), cutPrefix(command)]));
  return {
    readCommands: (chunk) => commands.read(chunk).map((frame) => toCommand(frame, names)),
    readReplies: (chunk) => replies.read(chunk).map((frame) => toPart(changePorts(frame, ports))),
  };
}

function toCommand(bytes: Buffer, names: ReadonlyMap<string, string>): Command {
  const [first = '', ...args] = readStrings(bytes);
  const name = first.toLowerCase();
  if (UNREADABLE.includes(name)) throw new Error(`replies to ${name} cannot be matched`);
  if (name !== 'eval' && name !== 'evalsha') return { bytes, name, args, answered: true };
  const [script = '', , ...keysAndArguments] = args;
  const sha = name === 'eval' ? digest(script) : script.toLowerCase();
  return { bytes, name: names.get(sha) ?? name, args: keysAndArguments, answered: true };
}

function toPart(bytes: Buffer): ReplyPart {
  const pushed = bytes[0] === PUSH;
  const unknownScript = bytes.toString('latin1', 0, 9) === '-NOSCRIPT';
  return { bytes, endsReply: !pushed, urgent: pushed, unknownScript };
}

/** Of CLUSTER SLOTS, and of the errors MOVED and ASK. */
const NODE_ADDRESS = /(\$9\r\n127\.0\.0\.1\r\n:|^-(?:MOVED|ASK) \d+ 127\.0\.0\.1:)(\d+)(?=\r\n)/g;

function changePorts(frame: Buffer, ports: ReadonlyMap<number, number>): Buffer {
  if (ports.size === 0 || !frame.includes('127.0.0.1')) return frame;
  const text = frame
    .toString('latin1')
    .replace(NODE_ADDRESS, (all, before: string, port: string) => {
      const other = ports.get(Number(port));
      return other === undefined ? all : `${before}${other}`;
    });
  return Buffer.from(text, 'latin1');
}

function digest(lua: string): string {
  return createHash('sha1').update(lua).digest('hex');
}

function cutPrefix(command: string): string {
  return command.replace(/^nz_/, '');
}
