import type { Positional } from './command.ts';

export const TENANT: Positional = { name: 'TENANT', required: true, meaning: 'its slug or id' };

export const KEY: Positional = {
  name: 'KEY',
  required: true,
  meaning: 'its id, or the first characters (4 or more) after nz_; never the whole key',
};
