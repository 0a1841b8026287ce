export type ReplyObject = 'chat.completion' | 'chat.completion.chunk' | 'text_completion';

export interface ReplyHead {
  readonly object: ReplyObject;
  readonly id: string;
  readonly createdS: number;
  readonly model: string;
}

/** The first members of a reply or a chunk, without a closing brace. */
export function toReplyHead({ object, id, createdS, model }: ReplyHead): string {
  return JSON.stringify({
    id,
    object,
    created: createdS,
    model,
    system_fingerprint: 'fp_ollama',
  }).slice(0, -1);
}
