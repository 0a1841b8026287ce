import { isObject } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { nameField, toFieldFault } from './field-faults.ts';

/*
 * One reader for each type of field. `undefined` means the field is absent, or null, which for
 * Ollama is the same. All throw GatewayError `invalid_request` that names the field.
 */

export function readText(value: unknown, at: string, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw toFieldFault(nameField(at, name), 'a string');
  if (!value.isWellFormed()) throw toFieldFault(nameField(at, name), 'well-formed Unicode');
  return value;
}

export function readFlag(value: unknown, at: string, name: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw toFieldFault(nameField(at, name), 'true or false');
  return value;
}

/** A whole number that JavaScript and Go both hold exactly. */
export function readInteger(value: unknown, at: string, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value)) return value as number;
  throw toFieldFault(nameField(at, name), 'a whole number');
}

export function readNumber(value: unknown, at: string, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw toFieldFault(nameField(at, name), 'a number');
}

export function readList(value: unknown, at: string, name: string): unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw toFieldFault(nameField(at, name), 'a list');
  return value as unknown[];
}

export function readTexts(value: unknown, at: string, name: string): string[] | undefined {
  const list = readList(value, at, name);
  const wrong = list?.findIndex((item) => typeof item !== 'string' || !item.isWellFormed()) ?? -1;
  if (wrong >= 0) throw toFieldFault(nameField(at, `${name}[${wrong}]`), 'a well-formed string');
  return list as string[] | undefined;
}

export function readIntegers(value: unknown, at: string, name: string): number[] | undefined {
  const list = readList(value, at, name);
  if (list?.every((item) => Number.isSafeInteger(item)) === false) {
    throw toFieldFault(nameField(at, name), 'a list of whole numbers');
  }
  return list as number[] | undefined;
}

export function readObject(value: unknown, at: string, name: string): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw toFieldFault(nameField(at, name), 'an object');
  return value;
}
