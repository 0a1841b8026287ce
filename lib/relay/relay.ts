import type { Call } from '../http/call.ts';
import type { ReplyWishes } from '../openai/reply-wishes.ts';
import { EventForm } from './event-form.ts';
import { toFramesSpec } from './frames-spec.ts';
import { NativeAssembly } from './native-assembly.ts';
import { NativeForm } from './native-form.ts';
import { OpenAiAssembly } from './openai-assembly.ts';
import { relayAssembled } from './relay-assembled.ts';
import type { RelayParts, RelayRequest } from './relay-request.ts';
import { relayWhole } from './relay-whole.ts';
import type { StreamForm } from './stream-form.ts';
import { StreamRelay } from './stream-relay.ts';

/**
 * Brings a reply to its client in the form that was asked for. Resolves when the response was ended
 * or the client is gone; the tally then says how it ended.
 *
 * @throws GatewayError while nothing was sent yet, or, for a failure of ours, when all was sent
 */
export function relay(parts: RelayParts, request: RelayRequest): Promise<void> {
  const { wishes } = request.call;
  return wishes ? relayOpenAi(parts, request, wishes) : relayNative(parts, request);
}

/** Whether the reply is a stream of server-sent events: an OpenAI client that asked for a stream. */
export function wantsEvents({ wishes, streamed }: Pick<Call, 'wishes' | 'streamed'>): boolean {
  return wishes !== null && streamed;
}

function relayNative(parts: RelayParts, request: RelayRequest): Promise<void> {
  const { route, streamed } = request.call;
  const { large } = parts;
  if (route === 'embed' || route === 'embeddings') {
    return relayWhole(parts, request, { dialect: 'native', route, inputs: countInputs(request) });
  }
  if (streamed) return relayStream(parts, request, new NativeForm(large));
  return relayAssembled(parts, request, (held) => new NativeAssembly(large, held));
}

function relayOpenAi(parts: RelayParts, request: RelayRequest, wishes: ReplyWishes): Promise<void> {
  const { route, streamed, model } = request.call;
  const { large } = parts;
  if (route === 'embed' || route === 'embeddings') {
    const { encoding } = wishes;
    const inputs = countInputs(request);
    return relayWhole(parts, request, { dialect: 'openai', model, encoding, inputs });
  }
  const spec = toFramesSpec(request, wishes);
  if (streamed) return relayStream(parts, request, new EventForm(large, spec));
  return relayAssembled(parts, request, (held) => new OpenAiAssembly(large, spec, held));
}

/** Texts of a list are counted as messages; a text by itself is none of a list. */
function countInputs({ call }: RelayRequest): number {
  return Math.max(1, call.measure.messages);
}

function relayStream(parts: RelayParts, request: RelayRequest, form: StreamForm): Promise<void> {
  return new Promise((resolve, reject) => {
    new StreamRelay(parts, request, { form, resolve, reject }).start();
  });
}
