import { GatewayError } from '../../errors/gateway-error.ts';
import { isObject } from '../json-object.ts';
import { toFieldFault } from './field-faults.ts';
import { checkFreeForm } from './free-form.ts';
import { isNothing } from './keep-alive.ts';
import type { MemberWriter } from './member-writer.ts';
import type { NativeRequest } from './native-request.ts';
import { readInteger, readText } from './read-values.ts';

/* Fields that more than one endpoint has. */

const LEVELS = new Set(['low', 'medium', 'high', 'max']);
/** What `think` may be, as refusals say it. */
export const THINK_VALUES = 'true, false, "low", "medium", "high" or "max"';
const MAX_TOP_LOGPROBS = 20;

export function readModel(value: unknown): string {
  const model = readText(value, '', 'model') ?? '';
  if (model === '') throw new GatewayError('invalid_request', 'model is required', MODEL);
  return model;
}

const MODEL = { param: 'model' };

/** `think`: a switch or a level. */
export function writeThink(value: unknown, writer: MemberWriter): void {
  if (value === undefined || value === null) return;
  if (typeof value === 'boolean') writer.add('think', value);
  else if (typeof value === 'string' && LEVELS.has(value)) writer.addText('think', value);
  else throw toFieldFault('think', THINK_VALUES);
}

/** `format`: `"json"` or a JSON Schema; an empty text means none. */
export function writeFormat(value: unknown, writer: MemberWriter): void {
  if (value === undefined || value === null || value === '') return;
  if (value === 'json') {
    writer.addText('format', value);
    return;
  }
  if (!isObject(value)) throw toFieldFault('format', '"json" or a JSON Schema object');
  checkFreeForm(value, 'format');
  writer.addJson('format', value);
}

/** `top_logprobs`; `name` is what the client calls it. */
export function writeTopLogprobs(
  value: unknown,
  writer: MemberWriter,
  name = 'top_logprobs',
): void {
  const count = readInteger(value, '', name);
  if (count !== undefined && (count < 0 || count > MAX_TOP_LOGPROBS)) {
    throw toFieldFault(name, `between 0 and ${MAX_TOP_LOGPROBS}`);
  }
  writer.add('top_logprobs', count);
}

/** What a request that asks for nothing means: bring the model in, or let it go. */
export function toIdle(empty: boolean, keepAlive: string | number | null): NativeRequest['idle'] {
  if (!empty) return null;
  return isNothing(keepAlive) ? 'unload' : 'load';
}
