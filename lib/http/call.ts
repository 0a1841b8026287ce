import type { NativeRequest } from '../ollama/requests/native-request.ts';
import type { ReplyWishes } from '../openai/reply-wishes.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { InferenceRoute } from './routes.ts';

/**
 * An inference request, read, checked and made anew from known fields (SPEC §2.1). It crosses a
 * thread border when the body is large: plain data, the bulk of it already serialised.
 */
export interface RebuiltCall extends NativeRequest {
  readonly route: InferenceRoute;
  /** What an OpenAI client wants of its reply; null: a native client. */
  readonly wishes: ReplyWishes | null;
}

/** The same with its bulk counted, and let go once it was sent: all else may live much longer. */
export interface Call extends Omit<RebuiltCall, 'members'> {
  readonly members: HeldBytes;
  /** How long its body took to come: the client's time and not the gateway's. */
  readonly bodyWaitMs: number;
}
