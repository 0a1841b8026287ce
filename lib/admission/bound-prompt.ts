import { GatewayError } from '../errors/gateway-error.ts';
import type { Call } from '../http/call.ts';
import type { InferenceRoute } from '../http/routes.ts';
import type { ModelEntry } from '../shared/records.ts';

/** What the settings say of prompts. */
export interface PromptRules {
  /** The most that one image may be read as. */
  readonly imageTokens: number;
  /** Added to every prompt: what a template puts around it. */
  readonly baseTokens: number;
}

/** What else decides over a prompt's bound. */
export interface PromptContext extends PromptRules {
  readonly model: Pick<ModelEntry, 'ownTextBytes' | 'embedding'>;
  /** The context length that the gateway sends; null where the model's own counts. */
  readonly numCtx: number | null;
}

type Prompt = Pick<Call, 'route' | 'measure'>;

const TOKENS_A_MESSAGE = 8;
const BYTES_A_TOKEN = 4;
const ESTIMATED_IMAGE_TOKENS = 1_024;

/** Embeddings generate nothing. */
export function isEmbedding(route: InferenceRoute): boolean {
  return route === 'embed' || route === 'embeddings';
}

/**
 * The most tokens that a prompt can be read as (SPEC §5): no token is less than a byte of text. A
 * template of the request's own is a program, whose output only the context bounds. Pure.
 * @throws GatewayError invalid_request for such a template where no context length is sent
 */
export function boundPrompt(call: Prompt, context: PromptContext): number {
  const { measure } = call;
  const { model, numCtx } = context;
  const bound =
    measure.textBytes +
    measure.contextNumbers +
    TOKENS_A_MESSAGE * measure.messages +
    context.imageTokens * measure.images +
    context.baseTokens +
    model.ownTextBytes;
  if (measure.template && numCtx === null) throw unboundedTemplate();
  const most = numCtx === null ? Infinity : (numCtx - 1) * countPrompts(call);
  // Their normalisation can lengthen a text.
  const factor = model.embedding || isEmbedding(call.route) ? 2 : 1;
  // None is read as less, whatever context its caller asks for.
  return Math.max(1, measure.template ? most : Math.min(bound, most)) * factor;
}

function unboundedTemplate(): GatewayError {
  return new GatewayError(
    'invalid_request',
    'template is taken only for models whose context length the operator has set.',
    { param: 'template' },
  );
}

/** A prompt's tokens as they are likely to be, for the tokens of a minute (SPEC §5). Pure. */
export function estimatePrompt({ measure }: Pick<Call, 'measure'>): number {
  return Math.ceil(measure.textBytes / BYTES_A_TOKEN) + ESTIMATED_IMAGE_TOKENS * measure.images;
}

/** Each text to embed has a context of its own. */
function countPrompts({ route, measure }: Prompt): number {
  return isEmbedding(route) ? Math.max(1, measure.messages) : 1;
}
