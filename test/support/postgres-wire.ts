import { MessageBody, PostgresMessages } from './postgres-messages.ts';
import type { Command, ReplyPart, Wire } from './wire.ts';

const CANCEL_REQUEST = 80_877_102;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const NAME_LENGTH = 200;

/** Password, terminate and the data of a COPY: nothing that is answered by a reply of its own. */
const UNANSWERED = ['p', 'X', 'd', 'c', 'f'];
/** Authentication and COPY: the client must speak before the reply goes on. */
const ASKING = ['R', 'G', 'W'];

/** Reads a connection to Postgres. What ends with Sync is one command, named by what it binds first. */
export function makePostgresWire(): Wire {
  return new PostgresWire();
}

class PostgresWire implements Wire {
  readonly #fromClient = new PostgresMessages();
  readonly #fromStore = new PostgresMessages();
  readonly #statements = new Map<string, string>();
  #started = false;
  /** How many single bytes (answers to a wish for encryption) come before all else. */
  #bytesDue = 0;
  #group: Buffer[] = [];
  #bound: readonly string[] | undefined;
  #parsed: string | undefined;

  readCommands(chunk: Buffer): readonly Command[] {
    this.#fromClient.push(chunk);
    const commands: Command[] = [];
    for (;;) {
      const message = this.#fromClient.take(this.#started ? 'typed' : 'plain');
      if (message === undefined) return commands;
      const command = this.#started ? this.#readTyped(message) : this.#readPlain(message);
      if (command !== undefined) commands.push(command);
    }
  }

  readReplies(chunk: Buffer): readonly ReplyPart[] {
    this.#fromStore.push(chunk);
    const parts: ReplyPart[] = [];
    for (;;) {
      const form = this.#bytesDue > 0 ? 'byte' : 'typed';
      const message = this.#fromStore.take(form);
      if (message === undefined) return parts;
      if (form === 'byte') this.#bytesDue -= 1;
      parts.push(toPart(message, form === 'byte'));
    }
  }

  #readPlain(bytes: Buffer): Command {
    const code = new MessageBody(bytes, 4).readInt32();
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      this.#bytesDue += 1;
      return { bytes, name: 'encrypt', args: [], answered: true };
    }
    this.#started = true;
    if (code === CANCEL_REQUEST) return { bytes, name: 'cancel', args: [], answered: false };
    return { bytes, name: 'startup', args: [], answered: true };
  }

  #readTyped(bytes: Buffer): Command | undefined {
    const type = typeOf(bytes);
    const body = new MessageBody(bytes, 5);
    if (type === 'Q') return nameSql(bytes, [body.readText()]);
    if (UNANSWERED.includes(type)) return { bytes, name: '', args: [], answered: false };
    this.#group.push(bytes);
    switch (type) {
      case 'P':
        this.#parse(body);
        return undefined;
      case 'B':
        this.#bind(body);
        return undefined;
      case 'D':
      case 'E':
      case 'C':
        return undefined;
      case 'S':
        return this.#endGroup();
      default:
        throw new Error(`a message of type ${type} cannot be matched with its reply`);
    }
  }

  #parse(body: MessageBody): void {
    const statement = body.readText();
    const text = body.readText();
    this.#statements.set(statement, text);
    this.#parsed ??= text;
  }

  #bind(body: MessageBody): void {
    body.readText();
    const text = this.#statements.get(body.readText()) ?? '';
    body.skip(2 * body.readInt16());
    const parameters = Array.from({ length: body.readInt16() }, () => body.readValue());
    this.#bound ??= [text, ...parameters];
  }

  #endGroup(): Command {
    const bytes = Buffer.concat(this.#group);
    const args = this.#bound ?? [this.#parsed ?? 'sync'];
    this.#group = [];
    this.#bound = undefined;
    this.#parsed = undefined;
    return nameSql(bytes, args);
  }
}

function nameSql(bytes: Buffer, args: readonly string[]): Command {
  const text = (args[0] ?? '').slice(0, 4 * NAME_LENGTH);
  const name = skipComments(text).toLowerCase().replace(/\s+/g, ' ').slice(0, NAME_LENGTH);
  return { bytes, name, args, answered: true };
}

function skipComments(text: string): string {
  let rest = text.trimStart();
  for (;;) {
    const end = rest.startsWith('--')
      ? rest.indexOf('\n')
      : rest.startsWith('/*')
        ? rest.indexOf('*/') + 1
        : -1;
    if (end <= 0) return rest.trimEnd();
    rest = rest.slice(end + 1).trimStart();
  }
}

function toPart(bytes: Buffer, single: boolean): ReplyPart {
  const type = typeOf(bytes);
  if (single && type !== 'N') throw new Error('an encrypted connection cannot be read');
  const endsReply = single || type === 'Z';
  return { bytes, endsReply, urgent: ASKING.includes(type), unknownScript: false };
}

function typeOf(message: Buffer): string {
  return String.fromCharCode(message[0] ?? 0);
}
