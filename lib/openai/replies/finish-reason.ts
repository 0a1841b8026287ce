/**
 * Ollama's reason in OpenAI's words: all are the same but for a reply that stopped to call tools. A
 * reply that ended well without a reason has stopped (SPEC §6).
 */
export function toFinishReason(doneReason: string | null, calledTools: boolean): string {
  const reason = doneReason ?? 'stop';
  return reason === 'stop' && calledTools ? 'tool_calls' : reason;
}
