import type { MemberWriter } from '../../ollama/requests/member-writer.ts';
import type { NativeCall } from './read-tool-calls.ts';

/** A message of a chat as Ollama takes it; what is undefined does not go upstream. */
export interface NativeMessage {
  readonly role: string | undefined;
  readonly content: string;
  readonly thinking: string | undefined;
  readonly images: readonly string[] | undefined;
  readonly tool_calls: readonly NativeCall[] | undefined;
  readonly tool_name: string | undefined;
  readonly tool_call_id: string | undefined;
}

/** Counts whatever of a message goes upstream. */
export function countMessage(message: NativeMessage, writer: MemberWriter): void {
  const { role, content, thinking, tool_name, tool_call_id, images, tool_calls } = message;
  for (const text of [role, content, thinking, tool_name, tool_call_id]) {
    if (text !== undefined) writer.countText(text);
  }
  if (images !== undefined) writer.countImages(images);
  if (tool_calls !== undefined) writer.countJson(JSON.stringify(tool_calls));
}
