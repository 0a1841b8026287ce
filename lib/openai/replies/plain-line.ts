/*
 * The usual line of a stream as Ollama serialises it, from its first byte to its last: known
 * members in their order, and text that neither JSON nor Go escapes. The text stands in JSON as it is in
 * the line. Whatever else a line has, it does not match.
 */

const CHAT =
  /^\{"model":"[\w.:/-]*","created_at":"[\w.:+-]*","message":\{"role":"assistant","content":"([ !#-[\]-\u2027\u202a-\uffff]+)"\},"done":false\}\n?$/;

const GENERATE =
  /^\{"model":"[\w.:/-]*","created_at":"[\w.:+-]*","response":"([ !#-[\]-\u2027\u202a-\uffff]+)","done":false\}\n?$/;

/** The content of a plain line of /api/chat; null: the line must be parsed. */
export function readPlainChat(text: string): string | null {
  return CHAT.exec(text)?.[1] ?? null;
}

/** The same of /api/generate. */
export function readPlainGenerate(text: string): string | null {
  return GENERATE.exec(text)?.[1] ?? null;
}
