import type { PromptEntry } from '../../lib/promptlog/read-prompts.ts';
import type { ReplyText } from '../../lib/promptlog/reply-text.ts';
import { toTime } from './limits-view.ts';

/** An entry of the prompt log in `--json` and in its lines. */
export interface PromptDocument {
  readonly id: string;
  /** The key's prefix. */
  readonly key: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly cut: boolean;
  readonly endpoint: string | null;
  readonly model: string | null;
  /** A text where it was cut. */
  readonly request: unknown;
  readonly reply: ReplyText | null;
}

export function toPromptDocument(entry: PromptEntry): PromptDocument {
  const { text } = entry;
  return {
    id: entry.id,
    key: `nz_${entry.publicId}`,
    created_at: toTime(entry.createdAt),
    expires_at: toTime(entry.expiresAt),
    cut: entry.cut,
    endpoint: text?.endpoint ?? null,
    model: text?.model ?? null,
    request: text?.request ?? null,
    reply: text?.reply ?? null,
  };
}
