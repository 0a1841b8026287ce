import { toErrorBody } from '../../errors/error-body.ts';
import type { GatewayError } from '../../errors/gateway-error.ts';

/** A comment that clients skip: the connection lives, nothing has come yet (SPEC §6). */
export const KEEP_ALIVE = ': keep-alive\n\n';

/** The end of a whole stream, and of no other. */
export const DONE_FRAME = 'data: [DONE]\n\n';

/** A failure after the head was sent; no other frame follows it (SPEC §6, §8). */
export function toErrorFrame(error: GatewayError): string {
  return `data: ${toErrorBody(error, 'openai')}\n\n`;
}
