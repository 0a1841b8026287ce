import fc from 'fast-check';
import { toCommand } from './action.ts';
import type { Action } from './action.ts';
import { admit } from './admissions.ts';
import type { Draw } from './admissions.ts';
import { lose, rollBack, save } from './disasters.ts';
import {
  compare,
  drain,
  own,
  readLedger,
  reap,
  recover,
  speakAsStranger,
  tick,
  writeSums,
} from './ownership.ts';
import { CALLERS, LIMITS, SCOPES } from './population.ts';
import { raceForLast, raceToEnd } from './races.ts';
import { OWNERS, WORKERS } from './real-world.ts';
import type { RealWorld } from './real-world.ts';
import { changeLimits, note, peek, wait } from './small-actions.ts';
import type { Story } from './story.ts';
import { end, exit, generate, kill, rehold, renew, sendKept } from './work.ts';

const worker = fc.nat({ max: WORKERS - 1 });
const owner = fc.nat({ max: OWNERS - 1 });
const any = fc.nat({ max: 50 });
const tokens = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 400 }));
const mostly = fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false));

const draw: fc.Arbitrary<Draw> = fc.record({
  worker,
  caller: fc.nat({ max: CALLERS.length - 1 }),
  promptTokens: fc.integer({ min: 1, max: 120 }),
  extraBoundTokens: fc.nat({ max: 200 }),
  askedTokens: fc.oneof(
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 400 }) },
  ),
  maxWaitingEntries: fc.oneof(
    { weight: 9, arbitrary: fc.constant(1_000) },
    { weight: 1, arbitrary: fc.nat({ max: 3 }) },
  ),
  isDrained: mostly,
  fate: fc.oneof(
    { weight: 12, arbitrary: fc.constant('heard' as const) },
    { weight: 2, arbitrary: fc.constant('lost' as const) },
    { weight: 1, arbitrary: fc.constant('late' as const) },
  ),
});

const ending = fc.record({ tokens, sent: mostly, heard: mostly });
const race = fc.constantFrom('budget' as const, 'slot' as const, 'minute' as const);
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const time = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 2 * SECOND }) },
  { weight: 6, arbitrary: fc.integer({ min: SECOND, max: 45 * SECOND }) },
  { weight: 3, arbitrary: fc.integer({ min: 30 * SECOND, max: 130 * SECOND }) },
  { weight: 1, arbitrary: fc.integer({ min: 130 * SECOND, max: 48 * HOUR }) },
);

/** Actions by what they are about: a choice of them may be drawn alone. */
export const ACTIONS = {
  admit: draw.map(admit),
  generate: fc.tuple(any, tokens).map((a) => generate(...a)),
  end: fc.tuple(any, ending).map((a) => end(...a)),
  sendKept: fc.tuple(any, mostly).map((a) => sendKept(...a)),
  renew: worker.map(renew),
  rehold: fc.tuple(worker, fc.boolean()).map((a) => rehold(...a)),
  kill: worker.map(kill),
  exit: fc.tuple(any, fc.constantFrom(1, 100)).map((a) => exit(...a)),
  own: owner.map(own),
  tick: owner.map(tick),
  stranger: owner.map(speakAsStranger),
  recover: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, worker).map(recover),
  readLedger: fc.constant(readLedger()),
  writeSums: owner.map(writeSums),
  compare: fc.constant(compare()),
  reap: fc.constantFrom(1, 100).map(reap),
  drain: fc.tuple(fc.constantFrom(1, 3, 500), mostly).map((a) => drain(...a)),
  lose: fc.constant(lose()),
  save: fc.constant(save()),
  rollBack: fc.constant(rollBack()),
  wait: time.map(wait),
  setBack: fc.integer({ min: 1, max: 3 * HOUR }).map((ms) => wait(-ms)),
  limits: fc
    .tuple(fc.nat({ max: SCOPES.length - 1 }), fc.nat({ max: LIMITS.length - 1 }))
    .map((a) => changeLimits(...a)),
  raceForLast: fc.tuple(draw, race).map((a) => raceForLast(...a)),
  raceToEnd: fc.tuple(any, fc.record({ tokens, order: any })).map((a) => raceToEnd(...a)),
  peek: draw.map(peek),
  note: fc.tuple(worker, any).map((a) => note(...a)),
} satisfies Record<string, fc.Arbitrary<Action>>;

export type ActionName = keyof typeof ACTIONS;

/** How often each comes, beside the others. */
const WEIGHTS: Readonly<Record<ActionName, number>> = {
  ...{ admit: 34, generate: 6, end: 10, sendKept: 7, renew: 6, rehold: 3, kill: 2, exit: 3 },
  ...{ own: 1, tick: 1, stranger: 1, recover: 4, readLedger: 3, writeSums: 3, compare: 2 },
  ...{ reap: 4, drain: 5, lose: 1, save: 3, rollBack: 2, wait: 14, setBack: 1, limits: 8 },
  ...{ raceForLast: 2, raceToEnd: 2, peek: 2, note: 1 },
};

/** Redis forgets more often than not; workers are cut off and die. */
const LOSSES: Partial<Record<ActionName, number>> = {
  ...{ admit: 22, generate: 4, end: 9, sendKept: 7, renew: 5, rehold: 4, kill: 3, exit: 4 },
  ...{ own: 2, recover: 9, readLedger: 2, writeSums: 2, compare: 4, reap: 9, drain: 9 },
  ...{ lose: 2, save: 7, rollBack: 7, wait: 14, limits: 3 },
};

export const MIXES = { all: WEIGHTS, losses: LOSSES } as const;

/** Runs of commands, drawn from a mix. */
export function drawCommands(
  most: number,
  mix: keyof typeof MIXES,
): fc.Arbitrary<Iterable<fc.AsyncCommand<Story, RealWorld>>> {
  const weights: Partial<Record<ActionName, number>> = MIXES[mix];
  const names = Object.keys(weights) as ActionName[];
  // Each draws a number first, so that some come more often than others.
  const chosen = names.flatMap((name) =>
    Array.from({ length: weights[name] ?? 0 }, () => ACTIONS[name].map(toCommand)),
  );
  return fc.commands(chosen, { maxCommands: most, size: 'max' });
}
