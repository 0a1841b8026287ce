import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';
import { isNetworkCode } from './network-fault.ts';

/** What Redis says first where the user or the password is not right, or lacks a right. */
const REFUSED = /^(?:NOAUTH|WRONGPASS|NOPERM|ERR AUTH|ERR invalid password)/;
const AWAY_REPLY = /^(?:LOADING|CLUSTERDOWN|MASTERDOWN|READONLY|BUSY|TRYAGAIN)/;
/** ioredis has no codes for its own failures, only texts. */
const AWAY = /Connection is closed|Command timed out|isn't writeable|Socket timeout|slots cache/;

/** Whether waiting mends nothing, since Redis answered and said no. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && isReply(error) && REFUSED.test(error.message);
}

/**
 * What went wrong between this program and Redis, in our words; anything else comes back as it was.
 * Redis's own text may quote keys and arguments, so it is not passed on.
 */
export function toRedisError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CommandError) return error;
  if (isRefusal(error)) {
    return new CommandError('Redis refused the user of REDIS_URL', {
      exitCode: EXIT.notPermitted,
      code: 'redis_refused',
      hint: 'check user, password and ACL',
      cause: error,
    });
  }
  if (isAway(error)) {
    return new CommandError('Redis does not answer at REDIS_URL', {
      exitCode: EXIT.unreachable,
      code: 'redis_unreachable',
      hint: 'nzgw config REDIS_URL tells where the address comes from',
      cause: error,
    });
  }
  if (!isReply(error)) return error;
  return new CommandError('Redis refused a command', {
    exitCode: EXIT.failed,
    code: 'redis_error',
    cause: error,
  });
}

function isReply(error: Error): boolean {
  return error.name === 'ReplyError';
}

function isAway(error: Error): boolean {
  if (isReply(error)) return AWAY_REPLY.test(error.message);
  if ('syscall' in error && error.syscall === 'connect' && 'code' in error) {
    return typeof error.code === 'string' && isNetworkCode(error.code);
  }
  return AWAY.test(error.message);
}
