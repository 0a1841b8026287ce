import { toLangchain, toOllama, toOpenaiNode, toOpenaiPython } from './libraries.ts';
import type { Target } from './libraries.ts';
import { toContinue, toCurl, toOpenWebui } from './programs.ts';

/** Every client that `nzgw connect` knows, and the settings to paste (SPEC §13). */
export const CLIENTS: ReadonlyMap<string, (target: Target) => string> = new Map([
  ['openai-python', toOpenaiPython],
  ['openai-node', toOpenaiNode],
  ['ollama', toOllama],
  ['langchain', toLangchain],
  ['open-webui', toOpenWebui],
  ['continue', toContinue],
  ['curl', toCurl],
]);
