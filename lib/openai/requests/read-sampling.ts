import { readInteger, readNumber, readText, readTexts } from '../../ollama/requests/read-values.ts';

/** Fields of chat and completions that become options. */
export const SAMPLING_FIELDS = [
  'max_tokens',
  'temperature',
  'top_p',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'stop',
] as const;

export type SamplingBody = Readonly<Partial<Record<(typeof SAMPLING_FIELDS)[number], unknown>>>;

/** Options by their native names; undefined where the client gave none. */
export interface Sampling {
  readonly num_predict: number | undefined;
  readonly temperature: number;
  readonly top_p: number;
  readonly seed: number | undefined;
  readonly frequency_penalty: number | undefined;
  readonly presence_penalty: number | undefined;
  readonly stop: readonly string[] | undefined;
}

/** OpenAI's default for temperature and top_p, which Ollama sends too: not that of the model. */
const DEFAULT = 1;

/** The fields by their types; no range is checked, as Ollama checks none. @throws GatewayError */
export function readSampling(body: SamplingBody): Sampling {
  return {
    num_predict: readInteger(body.max_tokens, '', 'max_tokens'),
    temperature: readNumber(body.temperature, '', 'temperature') ?? DEFAULT,
    top_p: readNumber(body.top_p, '', 'top_p') ?? DEFAULT,
    seed: readSeed(body.seed),
    frequency_penalty: readNumber(body.frequency_penalty, '', 'frequency_penalty'),
    presence_penalty: readNumber(body.presence_penalty, '', 'presence_penalty'),
    stop: readStop(body.stop),
  };
}

/** `options` as they are kept: what was not given has no key. */
export function toOptions(sampling: Sampling): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== undefined));
}

/** OpenAI's are of 64 bits, which no number here holds: what is too large becomes one of 31 bits. */
function readSeed(value: unknown): number | undefined {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) {
    return readInteger(value, '', 'seed');
  }
  const seed = BigInt(value as number);
  return Number(BigInt.asUintN(31, seed ^ (seed >> 31n)));
}

/** One text or a list of them; an empty list means none. */
function readStop(value: unknown): string[] | undefined {
  if (typeof value === 'string') return [readText(value, '', 'stop') ?? ''];
  const texts = readTexts(value, '', 'stop');
  return texts?.length === 0 ? undefined : texts;
}
