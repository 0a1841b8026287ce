import type { Option } from './command.ts';

/** Understood by every command, before or after its name. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  { name: 'json', meaning: 'One JSON document on stdout; errors as JSON on stderr.' },
  { name: 'quiet', short: 'q', meaning: 'No notes on stderr.' },
  { name: 'env-file', placeholder: 'PATH', meaning: 'A file of settings; the environment wins.' },
  { name: 'debug', meaning: 'Where an unexpected error came from.' },
];

/** Answered before a command is looked for. */
export const INFO_OPTIONS: readonly Option[] = [
  { name: 'help', short: 'h', meaning: 'This text, or that of the command.' },
  { name: 'version', short: 'v', meaning: 'Versions of nzgw and Node.' },
];
