import { toFieldFault } from '../../ollama/requests/field-faults.ts';
import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import type { MemberWriter } from '../../ollama/requests/member-writer.ts';
import { writeThink } from '../../ollama/requests/read-shared.ts';
import { readObject, readText } from '../../ollama/requests/read-values.ts';

/** Fields of a chat that say how much the model is to think. */
export const REASONING_FIELDS = ['reasoning', 'reasoning_effort'] as const;

export type ReasoningBody = Readonly<Partial<Record<(typeof REASONING_FIELDS)[number], unknown>>>;

const REASONING = knownFields('effort');

interface Reasoning {
  readonly effort?: unknown;
}

/** What `think` of each effort is; the empty text means that none was named. */
const THINK: ReadonlyMap<string, boolean | string | undefined> = new Map<
  string,
  boolean | string | undefined
>([
  ['', undefined],
  ['none', false],
  ['minimal', 'low'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['max', 'max'],
  ['xhigh', 'max'],
  ['ultra', 'max'],
]);

const EFFORTS = '"none", "minimal", "low", "medium", "high", "xhigh", "max" or "ultra"';

/**
 * Writes `think`. A `reasoning` object wins over `reasoning_effort`, even where it names no effort.
 * @throws GatewayError that names the field
 */
export function writeReasoning(body: ReasoningBody, writer: MemberWriter): void {
  const plain = readText(body.reasoning_effort, '', 'reasoning_effort');
  const reasoning: Reasoning | undefined = readObject(body.reasoning, '', 'reasoning');
  if (reasoning === undefined) {
    writeThink(toThink(plain, 'reasoning_effort'), writer);
    return;
  }
  checkKeys(reasoning, REASONING, 'reasoning');
  const effort = readText(reasoning.effort, 'reasoning', 'effort');
  writeThink(toThink(effort, 'reasoning.effort'), writer);
}

function toThink(effort: string | undefined, field: string): boolean | string | undefined {
  if (effort === undefined) return undefined;
  if (!THINK.has(effort)) throw toFieldFault(field, EFFORTS);
  return THINK.get(effort);
}
