import type { FaultProxy } from './fault-proxy.ts';
import type { Stack } from './stack.ts';

/** What is broken while a key is revoked. */
export interface FaultWorld {
  readonly stack: Stack;
  /** Before Postgres, for the gateway alone. */
  readonly postgres: FaultProxy;
}

export interface RevocationFault {
  readonly name: string;
  /** The primary reaches Postgres, if need be on another connection: nothing is different. */
  readonly reached: boolean;
  /** The primary may have lost trust for a while, or Redis is asked in vain. */
  readonly mayRefuse: boolean;
  begin(world: FaultWorld): Promise<void> | void;
  end(world: FaultWorld): Promise<void> | void;
}

const ALL_DAY_MS = 86_400_000;
const NONE = (): void => undefined;

/** And whenever it comes back and wants to listen, it is cut again. */
export const LISTENER_CUT: RevocationFault = cutListener();

const FAULTS: readonly RevocationFault[] = [
  {
    name: 'every connection to Postgres is reset once',
    reached: true,
    mayRefuse: true,
    begin: ({ postgres }) => {
      postgres.reset();
      postgres.pass();
    },
    end: NONE,
  },
  {
    name: 'every connection to Postgres is reset, and new ones too',
    reached: false,
    mayRefuse: true,
    begin: ({ postgres }) => {
      postgres.reset();
    },
    end: ({ postgres }) => {
      postgres.pass();
    },
  },
  {
    name: 'not a byte passes between the gateway and Postgres',
    reached: false,
    mayRefuse: true,
    begin: ({ postgres }) => {
      postgres.blackhole();
    },
    end: ({ postgres }) => {
      postgres.pass();
    },
  },
  {
    name: "Postgres ends the primary's sessions",
    reached: true,
    mayRefuse: true,
    begin: ({ stack }) => terminate(stack, ['nzgw trust', 'nzgw listener']),
    end: NONE,
  },
  LISTENER_CUT,
  {
    name: 'Redis is stopped',
    reached: true,
    mayRefuse: true,
    begin: ({ stack }) => {
      stack.redis.signal('SIGSTOP');
    },
    end: ({ stack }) => {
      stack.redis.signal('SIGCONT');
    },
  },
  {
    name: 'the primary is stopped',
    reached: false,
    mayRefuse: true,
    begin: ({ stack }) => {
      process.kill(stack.gateway.pid, 'SIGSTOP');
    },
    end: ({ stack }) => {
      process.kill(stack.gateway.pid, 'SIGCONT');
    },
  },
];

/** Every way, each to be begun and ended before the next. */
export function listRevocationFaults(): readonly RevocationFault[] {
  return FAULTS;
}

function cutListener(): RevocationFault {
  let isCut = false;
  const keepCutting = async (postgres: FaultProxy): Promise<void> => {
    while (isCut) {
      await postgres.at(
        { command: 'listen', when: 'before', filter: () => isCut },
        ({ cut }) => {
          cut();
        },
        ALL_DAY_MS,
      );
    }
  };
  return {
    name: 'the listener alone is cut, and stays cut',
    reached: true,
    mayRefuse: false,
    begin: async ({ stack, postgres }) => {
      isCut = true;
      // It ends with the proxy, or with the next round's cut.
      keepCutting(postgres).catch(NONE);
      await terminate(stack, ['nzgw listener']);
    },
    end: () => {
      isCut = false;
    },
  };
}

async function terminate({ database }: Stack, names: readonly string[]): Promise<void> {
  const { rows } = await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = any($1)`,
    [names],
  );
  if (rows.length !== names.length) throw new Error(`${rows.length} sessions of ${names.join()}`);
}
