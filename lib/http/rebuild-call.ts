import type { Dialect } from '../errors/error-body.ts';
import { rebuildChat } from '../ollama/requests/chat.ts';
import { rebuildEmbed, rebuildEmbeddings } from '../ollama/requests/embed.ts';
import { rebuildGenerate } from '../ollama/requests/generate.ts';
import type { NativeRequest } from '../ollama/requests/native-request.ts';
import { translateChat } from '../openai/requests/chat.ts';
import { translateCompletion } from '../openai/requests/completion.ts';
import { translateEmbeddings } from '../openai/requests/embeddings.ts';
import type { TranslatedRequest } from '../openai/requests/translated-request.ts';
import type { RebuiltCall } from './call.ts';
import type { InferenceRoute } from './routes.ts';

/** What a body is to be read as. Plain data. */
export interface BodyForm {
  readonly route: InferenceRoute;
  readonly dialect: Dialect;
}

/** Body bytes to a call. Pure; runs on a thread for large bodies. @throws GatewayError (400) */
export function rebuildCall({ route, dialect }: BodyForm, bytes: Uint8Array): RebuiltCall {
  if (dialect === 'openai') return { route, ...translate(route, bytes) };
  return { route, wishes: null, ...rebuild(route, bytes) };
}

function rebuild(route: InferenceRoute, bytes: Uint8Array): NativeRequest {
  switch (route) {
    case 'chat':
      return rebuildChat(bytes);
    case 'generate':
      return rebuildGenerate(bytes);
    case 'embed':
      return rebuildEmbed(bytes);
    case 'embeddings':
      return rebuildEmbeddings(bytes);
  }
}

/** The native request that an OpenAI one becomes. */
function translate(route: InferenceRoute, bytes: Uint8Array): TranslatedRequest {
  switch (route) {
    case 'chat':
      return translateChat(bytes);
    case 'generate':
      return translateCompletion(bytes);
    case 'embed':
    case 'embeddings':
      return translateEmbeddings(bytes);
  }
}
