import { z } from 'zod';
import { askAdmin, refuseAnswer } from './ask-admin.ts';
import type { AdminPlace } from './ask-admin.ts';

/** What /readyz of the admin listener said. */
export interface Readiness {
  readonly ready: boolean;
  /** None while the gateway still waits for its stores. */
  readonly checks: readonly ReadinessCheck[];
}

export interface ReadinessCheck {
  readonly name: string;
  readonly status: 'pass' | 'fail';
  readonly ms: number;
}

const state = z.enum(['pass', 'fail']);
const answerShape = z.object({
  status: state,
  checks: z.record(z.string(), z.object({ status: state, ms: z.number() })),
});

/** Asks once. Throws CommandError as `askAdmin` does, and `gateway_unexpected`. */
export async function readReadiness(
  place: AdminPlace,
  withinMs: number,
  signal?: AbortSignal,
): Promise<Readiness> {
  const { status, text } = await askAdmin(place, { path: '/readyz', withinMs, signal });
  if (status !== 200 && status !== 503) throw refuseAnswer(place);
  const answer = parse(place, text);
  return {
    ready: status === 200 && answer.status === 'pass',
    checks: Object.entries(answer.checks).map(([name, check]) => ({ name, ...check })),
  };
}

function parse(place: AdminPlace, text: string): z.infer<typeof answerShape> {
  try {
    return answerShape.parse(JSON.parse(text));
  } catch (error) {
    throw refuseAnswer(place, error);
  }
}
