import { GENERATION_FIELDS, readGeneration, writeGeneration } from './generation.ts';
import type { GenerationBody } from './generation.ts';
import { checkKeys, knownFields } from './known-fields.ts';
import { MemberWriter } from './member-writer.ts';
import type { NativeRequest } from './native-request.ts';
import { parseBody } from './parse-body.ts';
import { readMessages } from './read-messages.ts';
import { toIdle } from './read-shared.ts';
import { readTools } from './read-tools.ts';

const CHAT = knownFields(...GENERATION_FIELDS, 'messages', 'tools');

interface ChatBody extends GenerationBody {
  readonly messages?: unknown;
  readonly tools?: unknown;
}

/** The body of POST /api/chat, made anew. @throws GatewayError for what SPEC §2.1 refuses. */
export function rebuildChat(bytes: Uint8Array): NativeRequest {
  const object = parseBody(bytes);
  checkKeys(object, CHAT, '');
  const body: ChatBody = object;
  const generation = readGeneration(body);

  const writer = new MemberWriter();
  const messages = readMessages(body.messages, writer);
  writer.addMessages(messages);
  writer.addJson('tools', readTools(body.tools));
  writeGeneration(body, writer);

  const empty = messages === undefined || messages.length === 0;
  return { ...generation, idle: toIdle(empty, generation.keepAlive), ...writer.finish() };
}
