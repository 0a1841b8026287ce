import type { NativeRequest } from '../../ollama/requests/native-request.ts';
import type { ReplyWishes } from '../reply-wishes.ts';

/** An OpenAI request as the native request that goes upstream (SPEC §8). Plain data. */
export interface TranslatedRequest extends NativeRequest {
  readonly wishes: ReplyWishes;
}
