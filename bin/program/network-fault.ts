/** What the network itself says when nobody answers, or nobody may ask, at an address. */
const CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
]);

/** Whether a code is the network's, as opposed to a server's or a program's. */
export function isNetworkCode(code: string): boolean {
  return CODES.has(code);
}
