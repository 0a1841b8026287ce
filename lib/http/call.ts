import type { NativeRequest } from '../ollama/requests/native-request.ts';
import type { InferenceRoute } from './routes.ts';

/**
 * An inference request, read, checked and made anew from known fields (SPEC §2.1). It crosses a
 * thread border when the body is large: plain data, the bulk of it already serialised.
 */
export interface Call extends NativeRequest {
  readonly route: InferenceRoute;
}
