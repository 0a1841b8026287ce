import type { RebuiltCall } from '../http/call.ts';

export interface UpstreamBodyParts {
  readonly call: Pick<RebuiltCall, 'route' | 'members' | 'keepAlive' | 'shift'>;
  /** The model's name as the upstream itself spells it. */
  readonly modelName: string;
  /** Already chosen (choose-options.ts). */
  readonly options: Readonly<Record<string, unknown>>;
  /** The tenant may pin memory and force reloads: keep_alive and shift are sent. */
  readonly allowRuntimeOptions: boolean;
}

const STREAMING: ReadonlySet<string> = new Set(['chat', 'generate']);

/**
 * The body sent upstream: the client's checked members, between what the gateway always decides
 * itself (SPEC §2.2). Chat and generate always stream.
 */
export function buildUpstreamBody(parts: UpstreamBodyParts): Buffer {
  const { call } = parts;
  const members = Buffer.from(call.members.buffer, call.members.byteOffset, call.members.length);
  const streamed = STREAMING.has(call.route) ? ',"stream":true' : '';
  const head = `{"model":${JSON.stringify(parts.modelName)}${streamed}`;
  const tail = `${listTail(parts)}}`;
  return Buffer.concat(
    members.length > 0
      ? [Buffer.from(`${head},`), members, Buffer.from(tail)]
      : [Buffer.from(head), Buffer.from(tail)],
  );
}

function listTail({ call, options, allowRuntimeOptions }: UpstreamBodyParts): string {
  let tail = '';
  if (Object.keys(options).length > 0) tail += `,"options":${JSON.stringify(options)}`;
  if (!allowRuntimeOptions) return tail;
  if (call.keepAlive !== null) tail += `,"keep_alive":${JSON.stringify(call.keepAlive)}`;
  if (call.shift !== null) tail += `,"shift":${String(call.shift)}`;
  return tail;
}
