import { checkFreeForm } from './free-form.ts';
import { checkKeys, knownFields } from './known-fields.ts';
import { parseBody } from './parse-body.ts';
import { readModel } from './read-shared.ts';
import { readText } from './read-values.ts';

/** Known, and of no use here: only checked. */
const DROPPED = ['verbose', 'system', 'template', 'options'] as const;
const SHOW = knownFields('model', 'name', ...DROPPED);

interface ShowBody {
  readonly model?: unknown;
  readonly name?: unknown;
}

/** The body of POST /api/show: `model`, or the legacy `name`; `model` wins. @throws GatewayError */
export function rebuildShow(bytes: Uint8Array): { readonly model: string } {
  const object = parseBody(bytes);
  checkKeys(object, SHOW, '');
  for (const field of DROPPED) checkFreeForm(object[field], field);
  const body: ShowBody = object;
  const model = readText(body.model, '', 'model');
  const name = readText(body.name, '', 'name');
  return { model: readModel(model === undefined || model === '' ? name : model) };
}
