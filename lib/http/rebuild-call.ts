import { rebuildChat } from '../ollama/requests/chat.ts';
import { rebuildEmbed, rebuildEmbeddings } from '../ollama/requests/embed.ts';
import { rebuildGenerate } from '../ollama/requests/generate.ts';
import type { NativeRequest } from '../ollama/requests/native-request.ts';
import type { RebuiltCall } from './call.ts';
import type { InferenceRoute } from './routes.ts';

/** Body bytes to a call. Pure; runs on a thread for large bodies. @throws GatewayError (400) */
export function rebuildCall(route: InferenceRoute, bytes: Uint8Array): RebuiltCall {
  return { route, ...rebuild(route, bytes) };
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
