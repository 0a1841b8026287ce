import { expect } from 'chai';
import type { Lease } from '../../../lib/admission/lease.ts';
import type { Principal } from '../../../lib/auth/principal.ts';
import { SuspendedTenantError } from '../../../lib/auth/refused-key.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { serve } from '../../../lib/gateway/pipeline.ts';
import type { Facts, Stages } from '../../../lib/gateway/stages.ts';
import type { Route } from '../../../lib/http/routes.ts';
import type { UpstreamReply } from '../../../lib/upstream/reply.ts';
import {
  sampleCall,
  sampleExchange,
  sampleLease,
  samplePrincipal,
  SAMPLE_GRANT,
} from '../../support/sample-request.ts';

type Step = keyof Stages;

const CHAT: Route = {
  kind: 'inference',
  name: 'chat',
  dialect: 'native',
  upstreamPath: '/api/chat',
};
const TAGS: Route = { kind: 'listing', name: 'tags', dialect: 'native' };
const HEALTH: Route = { kind: 'open', name: 'healthz', dialect: 'native' };
const REPLY: UpstreamReply = {
  receive: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
};
const INFERENCE: readonly Step[] = [
  'route',
  'authenticate',
  'read',
  'confirm',
  'authorise',
  'admit',
];

/** The caller's rows after the body was read. */
const CONFIRMED = { ...samplePrincipal() };

interface Run {
  readonly steps: Step[];
  /** The facts as the last step saw them. */
  facts?: Facts;
  authorised?: Principal;
  leaseAtRefusal?: Lease | undefined;
  readonly stages: Stages;
}

interface Play {
  readonly route?: Route;
  /** An empty prompt. */
  readonly idle?: boolean;
  /** The step that fails, and with what. */
  readonly fail?: { readonly at: Step; readonly with: Error };
}

/** Stages that do nothing but note their turn. */
function play({ route = CHAT, idle = false, fail }: Play = {}): Run {
  const steps: Step[] = [];
  const take = <T>(step: Step, value: T): T => {
    steps.push(step);
    if (fail?.at === step) throw fail.with;
    return value;
  };
  // Async, so that a failing step rejects as the real one does.
  const takeLater = async <T>(step: Step, value: T): Promise<T> => {
    await Promise.resolve();
    return take(step, value);
  };
  const lease = sampleLease();
  const run: Run = {
    steps,
    stages: {
      route: () => take('route', route),
      answerOpen: () => {
        take('answerOpen', undefined);
      },
      authenticate: () => takeLater('authenticate', samplePrincipal()),
      answerOther: () => takeLater('answerOther', undefined),
      read: () => takeLater('read', sampleCall({ idle: idle ? 'load' : null })),
      confirm: () => takeLater('confirm', CONFIRMED),
      authorise: (principal) => {
        run.authorised = principal;
        return take('authorise', SAMPLE_GRANT);
      },
      answerIdle: () => {
        take('answerIdle', undefined);
      },
      admit: () => takeLater('admit', lease),
      forward: () => takeLater('forward', REPLY),
      relay: () => takeLater('relay', undefined),
      refuse: (_exchange, error, facts) => {
        take('refuse', undefined);
        run.leaseAtRefusal = facts?.lease;
        return error instanceof GatewayError ? error : new GatewayError('internal_error', 'ours');
      },
      settle: () => {
        take('settle', undefined);
      },
      audit: () => {
        take('audit', undefined);
      },
      observe: (_exchange, facts) => {
        run.facts = facts;
        take('observe', undefined);
      },
    },
  };
  return run;
}

async function serveOne(options: Play = {}): Promise<Run> {
  const run = play(options);
  await serve(run.stages, sampleExchange());
  return run;
}

const refused = new GatewayError('model_not_allowed', 'no');

describe('gateway/pipeline', () => {
  it('takes the steps of an inference in their order and settles once', async () => {
    const { steps, facts } = await serveOne();
    expect(steps).to.deep.equal([...INFERENCE, 'forward', 'relay', 'settle', 'observe']);
    expect(facts).to.include.keys('route', 'principal', 'call', 'grant', 'lease', 'tally');
    expect(facts?.refusal).to.equal(undefined);
  });

  it('goes on with the rows that stood after the body, not with those from before it', async () => {
    const { authorised, facts } = await serveOne();
    expect(authorised).to.equal(CONFIRMED);
    expect(facts?.principal).to.equal(CONFIRMED);
  });

  it('an open route asks for no key', async () => {
    const { steps } = await serveOne({ route: HEALTH });
    expect(steps).to.deep.equal(['route', 'answerOpen', 'observe']);
  });

  it('a listing asks for a key and for nothing of Redis', async () => {
    const { steps } = await serveOne({ route: TAGS });
    expect(steps).to.deep.equal(['route', 'authenticate', 'answerOther', 'observe']);
  });

  it('reads no body before it knows who calls', async () => {
    const fail = { at: 'authenticate', with: new GatewayError('invalid_api_key', 'no') } as const;
    const { steps } = await serveOne({ fail });
    expect(steps).to.deep.equal(['route', 'authenticate', 'refuse', 'observe']);
  });

  it("answers Ollama's load command without admission, so that it costs nothing", async () => {
    const { steps } = await serveOne({ idle: true });
    expect(steps).to.deep.equal([...INFERENCE.slice(0, 5), 'answerIdle', 'observe']);
  });

  for (const at of ['read', 'confirm', 'authorise', 'admit'] as const) {
    it(`a known key refused at ${at} is audited and not settled`, async () => {
      const { steps, facts } = await serveOne({ fail: { at, with: refused } });
      expect(steps.slice(-3)).to.deep.equal(['refuse', 'audit', 'observe']);
      expect(steps).to.not.include.members(['forward', 'settle']);
      expect(facts?.refusal).to.equal(refused);
    });
  }

  for (const at of ['forward', 'relay'] as const) {
    it(`what fails at ${at} was admitted, and is settled and not audited twice`, async () => {
      const { steps, leaseAtRefusal } = await serveOne({ fail: { at, with: refused } });
      expect(steps.slice(-3)).to.deep.equal(['refuse', 'settle', 'observe']);
      expect(steps).to.not.include('audit');
      expect(leaseAtRefusal, 'its reply tells what is left of limits').to.deep.equal(sampleLease());
    });
  }

  it('a stranger who is refused leaves no audit row', async () => {
    for (const fail of [
      { at: 'route', with: new GatewayError('invalid_request', 'no') },
      { at: 'authenticate', with: new GatewayError('auth_unavailable', 'no') },
    ] as const) {
      const { steps, facts } = await serveOne({ fail });
      expect(steps.slice(-2)).to.deep.equal(['refuse', 'observe']);
      expect(facts?.principal).to.equal(undefined);
    }
  });

  it('the holder of a key of a suspended tenant is known, and so audited', async () => {
    const principal = samplePrincipal();
    const fail = { at: 'authenticate', with: new SuspendedTenantError(principal) } as const;
    const { steps, facts } = await serveOne({ fail });
    expect(steps).to.deep.equal(['route', 'authenticate', 'refuse', 'audit', 'observe']);
    expect(facts?.principal).to.equal(principal);
  });

  it('an error that nobody expected is refused too, and what was admitted is settled', async () => {
    const { steps, facts } = await serveOne({ fail: { at: 'relay', with: new Error('a bug') } });
    expect(steps.slice(-3)).to.deep.equal(['refuse', 'settle', 'observe']);
    expect(facts?.refusal?.code).to.equal('internal_error');
  });

  it('settles only when the connection has closed, since only then the tokens are known', async () => {
    const closed = Promise.withResolvers<undefined>();
    const run = play();
    const served = serve(run.stages, sampleExchange({ closed: closed.promise }));
    while (!run.steps.includes('relay')) await Promise.resolve();
    await new Promise(setImmediate);
    expect(run.steps.at(-1)).to.equal('relay');
    closed.resolve(undefined);
    await served;
    expect(run.steps.slice(-2)).to.deep.equal(['settle', 'observe']);
  });
});
