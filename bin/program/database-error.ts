import { readSqlState } from '../../lib/store/postgres.ts';
import { SchemaError } from '../../lib/store/schema-error.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';
import { isNetworkCode } from './network-fault.ts';

/** invalid_password, invalid_authorization_specification, insufficient_privilege. */
const REFUSED = new Set(['28P01', '28000', '42501']);
/** invalid_schema_name, undefined_table, undefined_column, undefined_function, undefined_object. */
const NO_SUCH_PART = new Set(['3F000', '42P01', '42703', '42883', '42704']);
/** Connection exceptions, starting up or shutting down, too many connections, no such database. */
const AWAY = /^(?:08...|57P0[1-3]|53300|3D000)$/;

/**
 * What went wrong between this program and Postgres, in our words; anything else comes back as it
 * was. Postgres's own text may quote values, so it is not passed on.
 */
export function toDatabaseError(error: unknown): unknown {
  if (error instanceof SchemaError) return toSchemaFault(error);
  const state = readSqlState(error);
  if (state !== undefined) return toStateFault(state, error);
  if (!(error instanceof Error)) return error;
  if (error.message.startsWith('SASL')) return refused(error);
  return isNetworkFault(error) ? unreachable(error) : error;
}

function toStateFault(state: string, cause: unknown): unknown {
  if (REFUSED.has(state)) return refused(cause);
  if (AWAY.test(state)) return unreachable(cause);
  if (NO_SUCH_PART.has(state)) {
    return new CommandError('the database lacks a part that this version needs', {
      exitCode: EXIT.conflict,
      code: 'schema_older',
      hint: 'nzgw migrate',
      cause,
    });
  }
  return new CommandError(`Postgres refused a statement (SQLSTATE ${state})`, {
    exitCode: EXIT.failed,
    code: 'postgres_error',
    cause,
  });
}

function toSchemaFault(error: SchemaError): CommandError {
  const isBehind = error.fault === 'missing' || error.fault === 'older';
  return new CommandError(error.message, {
    exitCode: EXIT.conflict,
    code: `schema_${error.fault}`,
    hint: isBehind ? 'nzgw migrate' : 'nzgw migrate --status',
    cause: error,
  });
}

function refused(cause: unknown): CommandError {
  return new CommandError('Postgres refused the user of DATABASE_URL', {
    exitCode: EXIT.notPermitted,
    code: 'postgres_refused',
    hint: 'check user, password and grants',
    cause,
  });
}

function unreachable(cause: unknown): CommandError {
  return new CommandError('Postgres does not answer at DATABASE_URL', {
    exitCode: EXIT.unreachable,
    code: 'postgres_unreachable',
    hint: 'nzgw config DATABASE_URL tells where the address comes from',
    cause,
  });
}

/** pg has no codes for its own time-outs and for a connection that ended: only texts. */
function isNetworkFault(error: Error): boolean {
  if ('code' in error && typeof error.code === 'string') return isNetworkCode(error.code);
  return /timeout|timed out|terminated|not queryable|does not support SSL/i.test(error.message);
}
