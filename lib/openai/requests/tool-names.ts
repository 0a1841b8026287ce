import { toFieldFault } from '../../ollama/requests/field-faults.ts';
import type { NativeMessage } from './native-message.ts';

/**
 * The longest name that is copied into results, in bytes of its JSON. One call may be named by a
 * hundred thousand results; OpenAI allows 64 letters.
 */
const MAX_COPIED_BYTES = 128;

interface CalledTool {
  readonly name: string;
  readonly field: string;
}

/**
 * Gives results of tools the name of the call they answer: OpenAI's name the id alone, templates of
 * Ollama want the name. Of several calls with one id the last message's counts, as for Ollama.
 * @throws GatewayError invalid_request for a name too long to be copied
 */
export function nameResults(messages: readonly NativeMessage[]): NativeMessage[] {
  const called = collectCalled(messages);
  return messages.map((message) => {
    const { tool_name, tool_call_id } = message;
    if (!isResult(message) || tool_name !== undefined || tool_call_id === undefined) return message;
    const tool = called.get(tool_call_id);
    return tool === undefined ? message : { ...message, tool_name: toCopied(tool) };
  });
}

/** Whether a message is what a tool said; Ollama lowers the role's letters. */
export function isResult({ role }: Pick<NativeMessage, 'role'>): boolean {
  return role?.toLowerCase() === 'tool';
}

function collectCalled(messages: readonly NativeMessage[]): ReadonlyMap<string, CalledTool> {
  const called = new Map<string, CalledTool>();
  messages.forEach(({ tool_calls }, at) => {
    // Backwards: within one message the first of an id counts.
    [...(tool_calls ?? []).entries()].reverse().forEach(
      ([
        index,
        {
          id,
          function: { name },
        },
      ]) => {
        if (id === undefined || id === '' || name === undefined || name === '') return;
        called.set(id, { name, field: `messages[${at}].tool_calls[${index}].function.name` });
      },
    );
  });
  return called;
}

function toCopied({ name, field }: CalledTool): string {
  if (Buffer.byteLength(JSON.stringify(name)) <= MAX_COPIED_BYTES) return name;
  throw toFieldFault(field, `at most ${MAX_COPIED_BYTES} bytes of JSON`);
}
