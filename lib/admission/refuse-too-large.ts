import { GatewayError } from '../errors/gateway-error.ts';
import type { Level } from './levels.ts';
import { leastOfBudget, leastOfMinute } from './request-size.ts';
import type { RequestSize } from './request-size.ts';

/**
 * Refuses what no wait would let through: a request whose smallest form is larger than a whole limit,
 * and all under a limit of 0. Redis need not be asked. Pure.
 * @throws GatewayError request_too_large_for_limit, which names limit and scope
 */
export function refuseTooLarge(size: RequestSize, levels: readonly Level[]): void {
  for (const find of [findRequests, findMinute, findConcurrency, findBudget]) {
    for (const level of levels) {
      const text = find(level, size);
      if (text !== undefined) throw new GatewayError('request_too_large_for_limit', text);
    }
  }
}

type Find = (level: Level, size: RequestSize) => string | undefined;

const findRequests: Find = ({ name, limits }) =>
  limits.requestsPerMinute === 0
    ? `The ${name}'s limit of requests a minute is 0: it may make none.`
    : undefined;

const findMinute: Find = ({ name, limits: { tokensPerMinute } }, size) =>
  describe(tokensPerMinute, leastOfMinute(size), `The ${name}'s limit of tokens a minute`);

const findConcurrency: Find = ({ name, limits }) =>
  limits.concurrency === 0
    ? `The ${name}'s limit of concurrent requests is 0: it may make none.`
    : undefined;

const findBudget: Find = ({ name, limits: { budgetTokens } }, size) =>
  describe(budgetTokens, leastOfBudget(size), `The ${name}'s token budget`);

function describe(limit: number | null, need: number, what: string): string | undefined {
  if (limit === null) return undefined;
  if (limit === 0) return `${what} is 0: it may use none.`;
  if (need <= limit) return undefined;
  return `${what} is ${limit} in all; this request could use ${need} or more. A shorter prompt may fit.`;
}
