/** Why an act was not done. The words are what `nzgw --json` shows. */
export type ActErrorCode =
  | 'tenant_not_found'
  | 'tenant_exists'
  | 'tenant_closed'
  | 'key_not_found'
  | 'key_ambiguous'
  | 'key_ended';

/** An act that was understood and could not be done; nothing was changed. */
export class ActError extends Error {
  override readonly name = 'ActError';
  readonly code: ActErrorCode;

  constructor(code: ActErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
