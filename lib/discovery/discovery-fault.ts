export type FaultCode =
  | 'upstream_unreachable'
  | 'upstream_timeout'
  | 'upstream_status'
  | 'reply_too_large'
  | 'reply_malformed'
  | 'stopped';

/** Why an upstream's models could not be read. It carries nothing that the upstream said. */
export class DiscoveryFault extends Error {
  override readonly name = 'DiscoveryFault';
  readonly code: FaultCode;

  constructor(code: FaultCode) {
    super(code);
    this.code = code;
  }
}
