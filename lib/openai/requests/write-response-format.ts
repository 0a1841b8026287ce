import { checkFreeForm } from '../../ollama/requests/free-form.ts';
import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import type { MemberWriter } from '../../ollama/requests/member-writer.ts';
import { readObject, readText } from '../../ollama/requests/read-values.ts';

const FORMAT = knownFields('type', 'json_schema');
const JSON_SCHEMA = knownFields('schema');

interface FormatBody {
  readonly type?: unknown;
  readonly json_schema?: unknown;
}

interface JsonSchemaBody {
  readonly schema?: unknown;
}

/** Writes `format` for `response_format`: none for a type that is unknown. @throws GatewayError */
export function writeResponseFormat(value: unknown, writer: MemberWriter): void {
  const body: FormatBody | undefined = readObject(value, '', 'response_format');
  if (body === undefined) return;
  checkKeys(body, FORMAT, 'response_format');
  const type = readText(body.type, 'response_format', 'type')?.trim().toLowerCase();
  const schema = readSchema(body.json_schema);
  if (type === 'json_object') writer.addText('format', 'json');
  else if (type === 'json_schema') writer.addJson('format', schema);
}

/** The schema as it came; `name`, `strict` and `description` say nothing to Ollama. */
function readSchema(value: unknown): object | undefined {
  const at = 'response_format.json_schema';
  const body: JsonSchemaBody | undefined = readObject(value, 'response_format', 'json_schema');
  if (body === undefined) return undefined;
  checkKeys(body, JSON_SCHEMA, at);
  const schema = readObject(body.schema, at, 'schema');
  checkFreeForm(schema, `${at}.schema`);
  return schema;
}
