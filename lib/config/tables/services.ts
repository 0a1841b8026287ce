import { hidden, lasting, optional, required, withDefault } from '../definition.ts';
import { flag, origins, redisUrls, secret, url } from '../kinds.ts';

export const SERVICES = {
  databaseUrl: lasting(
    hidden(required('DATABASE_URL', url('postgres:', 'postgresql:'), 'Postgres, the truth.')),
  ),
  redisUrl: lasting(
    hidden(
      required(
        'REDIS_URL',
        redisUrls,
        'Redis 7 or newer, which decides admissions. Of several the first tells the credentials.',
      ),
    ),
  ),
  allowVolatileRedis: lasting(
    withDefault(
      'NZGW_ALLOW_VOLATILE_REDIS',
      flag,
      'false',
      'Starts on a Redis without AOF, which forgets running requests at a restart.',
    ),
  ),
  ollamaUrls: lasting(
    required('OLLAMA_URL', origins, 'The Ollama server, or several separated by commas.'),
  ),
  // Both come into force for all workers of a host at once: one that does not know a pepper refuses
  // the keys that another has tagged with it.
  keyPepper: lasting(
    hidden(
      required(
        'NZGW_KEY_PEPPER',
        secret(32),
        'Secret under which keys are tagged. Losing it makes every key invalid.',
      ),
    ),
  ),
  keyPepperPrevious: lasting(
    hidden(
      optional(
        'NZGW_KEY_PEPPER_PREVIOUS',
        secret(32),
        'Another pepper whose tags are accepted, while keys move from one to the other.',
      ),
    ),
  ),
} as const;
