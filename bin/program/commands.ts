import { config } from '../commands/config.ts';
import { connect } from '../commands/connect.ts';
import { createKey } from '../commands/create-key.ts';
import { createTenant } from '../commands/create-tenant.ts';
import { doctor } from '../commands/doctor.ts';
import { exportPrompts } from '../commands/export-prompts.ts';
import { explain } from '../commands/explain.ts';
import { holds } from '../commands/holds.ts';
import { listKeys } from '../commands/list-keys.ts';
import { listModels } from '../commands/list-models.ts';
import { listTenants } from '../commands/list-tenants.ts';
import { migrate } from '../commands/migrate.ts';
import { quickstart } from '../commands/quickstart.ts';
import { resumeTenant } from '../commands/resume-tenant.ts';
import { revokeKey } from '../commands/revoke-key.ts';
import { rotateKey } from '../commands/rotate-key.ts';
import { serve } from '../commands/serve.ts';
import { showKey } from '../commands/show-key.ts';
import { showTenant } from '../commands/show-tenant.ts';
import { status } from '../commands/status.ts';
import { suspendTenant } from '../commands/suspend-tenant.ts';
import { sweep } from '../commands/sweep.ts';
import { top } from '../commands/top.ts';
import { updateKey } from '../commands/update-key.ts';
import { updateTenant } from '../commands/update-tenant.ts';
import { usage } from '../commands/usage.ts';
import { verifyKey } from '../commands/verify-key.ts';
import { verifyLedger } from '../commands/verify-ledger.ts';
import type { Command } from './command.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  quickstart,
  serve,
  doctor,
  status,
  top,
  migrate,
  config,
  createTenant,
  listTenants,
  showTenant,
  updateTenant,
  suspendTenant,
  resumeTenant,
  createKey,
  listKeys,
  showKey,
  updateKey,
  rotateKey,
  revokeKey,
  verifyKey,
  listModels,
  usage,
  explain,
  holds,
  verifyLedger,
  sweep,
  exportPrompts,
  connect,
];
