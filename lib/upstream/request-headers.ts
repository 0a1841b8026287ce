/** W3C Trace Context, version 00; all-zero ids are invalid. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * The headers of every upstream request, as a flat list: a constant set, none of them copied from
 * the client but a `traceparent` that is one (SPEC §2.2). Host, Connection and Content-Length are
 * undici's, made from the upstream's origin and our body.
 */
export function buildUpstreamHeaders(admissionId: string, traceparent?: unknown): string[] {
  const headers = [
    'content-type',
    'application/json',
    'accept',
    'application/x-ndjson, application/json',
    'x-request-id',
    admissionId,
  ];
  if (typeof traceparent === 'string' && TRACEPARENT.test(traceparent)) {
    headers.push('traceparent', traceparent);
  }
  return headers;
}
