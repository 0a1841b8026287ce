import { ChatFrames } from './chat-frames.ts';
import { CompletionFrames } from './completion-frames.ts';
import type { Frames, StreamOptions, StreamState } from './frames.ts';
import type { ReplyKind } from './whole-part.ts';

/** One stream and how it is told. Plain data. */
export interface FramesSpec extends StreamOptions {
  readonly kind: ReplyKind;
  /** CallPlace's `idPrefix`. */
  readonly callIdPrefix: string;
}

/** `state`: where another one left the stream. */
export function makeFrames(spec: FramesSpec, state?: StreamState): Frames {
  return spec.kind === 'chat' ? new ChatFrames(spec, state) : new CompletionFrames(spec, state);
}
