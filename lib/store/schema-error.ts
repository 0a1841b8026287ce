/** What is wrong with a schema; see `checkSchema` and `migrate`. */
export type SchemaFault = 'missing' | 'older' | 'newer' | 'edited' | 'shards_fixed';

/** The database's schema does not go with this program. The text names what to run. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  readonly fault: SchemaFault;

  constructor(fault: SchemaFault, message: string) {
    super(message);
    this.fault = fault;
  }
}
