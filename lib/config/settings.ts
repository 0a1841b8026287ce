import type { Definition, OptionalDefinition } from './definition.ts';
import { SERVICES } from './tables/services.ts';
import { PROCESSES } from './tables/processes.ts';
import { REQUESTS } from './tables/requests.ts';
import { KEYS } from './tables/keys.ts';
import { MODELS } from './tables/models.ts';
import { STREAMS } from './tables/streams.ts';
import { BOOKKEEPING } from './tables/bookkeeping.ts';
import { PROMPTS } from './tables/prompts.ts';

/** The one table (SPEC §14), in the order of the documents. */
export const GROUPS = {
  Services: SERVICES,
  'Listeners and processes': PROCESSES,
  'Reading requests': REQUESTS,
  Keys: KEYS,
  'Models and discovery': MODELS,
  'Forwarding and streaming': STREAMS,
  'Trust, admission, audit': BOOKKEEPING,
  'Prompt log': PROMPTS,
} as const;

/** All settings; the key is the name in code. */
export const SETTINGS = {
  ...SERVICES,
  ...PROCESSES,
  ...REQUESTS,
  ...KEYS,
  ...MODELS,
  ...STREAMS,
  ...BOOKKEEPING,
  ...PROMPTS,
} as const;

type ValueOf<D> =
  D extends OptionalDefinition<infer T> ? T | null : D extends Definition<infer T> ? T : never;

/** What the rest of the code takes: every setting, read and checked. */
export type Settings = { readonly [K in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[K]> };

export type SettingKey = keyof Settings;
