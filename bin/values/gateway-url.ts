import { z } from 'zod';

/** Of a host: what means nothing to a shell, nor inside quotes. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])$/;

/**
 * `--url`: where clients reach the gateway, without a slash at its end. No credentials, which would be
 * shown again, and no path, since clients put their own behind it. What was typed is not repeated, for
 * it may hold what it must not.
 */
export const gatewayUrl: z.ZodType<string, string> = z.string().transform((text, context) => {
  const origin = toOrigin(text.trim());
  if (origin !== undefined) return origin;
  const message = 'wanted http:// or https://, a host and maybe a port, without a path or a key';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

function toOrigin(text: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\\]+\/?$/i.test(text) || !URL.canParse(text)) return undefined;
  const { hostname, origin } = new URL(text);
  return HOST.test(hostname) ? origin : undefined;
}
