import type { DemoPrompt } from './demo-replies.ts';

/** What the demo model takes from a request body; all else is ignored, as Ollama ignores it. */
export interface DemoRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly maxTokens: number;
  readonly prompt: DemoPrompt;
  readonly inputs: readonly string[];
}

/** Reads the JSON of any inference request. Throws SyntaxError if it is none. */
export function readDemoRequest(body: string): DemoRequest {
  const fields = toRecord(JSON.parse(body));
  const asked = toRecord(fields['options'])['num_predict'];
  return {
    model: toText(fields['model'] ?? fields['name']),
    stream: fields['stream'] !== false,
    maxTokens: typeof asked === 'number' ? asked : -1,
    prompt: readPrompt(fields),
    inputs: toList(fields['input']).map(toText),
  };
}

function readPrompt(fields: Readonly<Record<string, unknown>>): DemoPrompt {
  if (fields['messages'] === undefined) {
    const last = toText(fields['prompt']);
    return { texts: [toText(fields['system']), last], last };
  }
  const texts = toList(fields['messages']).map((message) => toText(toRecord(message)['content']));
  return { texts, last: texts.at(-1) ?? '' };
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function toList(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
