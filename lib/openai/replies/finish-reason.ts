/** What Ollama is known to say; nothing else of an upstream's words goes on. */
const KNOWN: ReadonlySet<string> = new Set(['stop', 'length', 'load', 'unload']);

/**
 * Ollama's reason in OpenAI's words: all are the same but for a reply that stopped to call tools. A
 * reply that ended well without a reason has stopped (SPEC §6), and so has one with an unknown one.
 */
export function toFinishReason(doneReason: string | null, calledTools: boolean): string {
  const reason = doneReason !== null && KNOWN.has(doneReason) ? doneReason : 'stop';
  return reason === 'stop' && calledTools ? 'tool_calls' : reason;
}
