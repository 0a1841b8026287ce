import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../lib/root.ts';
import { CommandError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import type { Context } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';
import type { ExitCode } from '../program/exit-code.ts';
import type { Output } from '../program/output.ts';
import { startQuickstart } from '../quickstart/quickstart.ts';
import type { Quickstart } from '../quickstart/quickstart.ts';
import { listenForStop, StopRequested } from '../quickstart/stop-request.ts';
import type { StopRequest } from '../quickstart/stop-request.ts';
import { wholeNumber } from '../values/count.ts';
import { readOptions, value } from '../values/value.ts';

const address = value('an http:// or https:// address', (text) =>
  /^https?:\/\//.test(text) && URL.canParse(text) ? text : undefined,
);

export const quickstart = defineCommand({
  name: 'quickstart',
  summary: 'Starts a private Postgres and Redis, a gateway and a key; proves them; serves.',
  positionals: [],
  options: [
    { name: 'once', meaning: 'Prove and stop.' },
    { name: 'port', placeholder: 'PORT', meaning: 'Port of the gateway; else 8080 or the next.' },
    { name: 'data-dir', placeholder: 'PATH', meaning: 'Where everything is kept; else .nzgw.' },
    { name: 'ollama', placeholder: 'URL', meaning: 'The Ollama to stand in front of.' },
    { name: 'reset', meaning: 'Begin anew: removes what earlier runs made.' },
  ],
  examples: [
    'nzgw quickstart',
    'nzgw quickstart --once',
    'nzgw quickstart --ollama http://10.0.0.5:11434',
  ],
  needs: [],
  async run(context) {
    const stop = listenForStop();
    try {
      return await follow(context, stop);
    } catch (error) {
      throw toFailure(error);
    } finally {
      stop.end();
    }
  },
});

async function follow(context: Context<never>, stop: StopRequest): Promise<ExitCode> {
  const { output } = context;
  const given = readOptions(
    { port: wholeNumber(1, 65_535).optional(), ollama: address.optional() },
    { port: context.options['port'], ollama: context.options['ollama'] },
  );
  const directory = context.options['data-dir'];
  const running = await startQuickstart({
    directory: resolve(typeof directory === 'string' ? directory : fileURLToPath(DEFAULT_FOLDER)),
    reset: context.options['reset'] === true,
    port: given.port,
    ollamaUrl: given.ollama,
    environment: context.environment,
    signal: stop.signal,
    write: (line) => {
      output.note(line);
    },
  });
  tell(output, running);
  if (context.options['once'] === true) {
    await running.stop();
    output.note(' Proved, and stopped.');
    return EXIT.done;
  }
  return serve(output, running, stop);
}

const DEFAULT_FOLDER = new URL('.nzgw', ROOT);

/** Serves until somebody wants an end, or the gateway comes to one. */
async function serve(output: Output, running: Quickstart, stop: StopRequest): Promise<ExitCode> {
  output.note(' Ctrl-C stops everything; the data stays (--reset begins anew).');
  await Promise.race([stop.requested, running.gone]);
  const wanted = stop.signal.aborted;
  const tail = wanted ? '' : running.readTail();
  if (wanted) output.note(' Stopping …');
  await running.stop();
  if (!wanted) throw new Error(`the gateway ended:\n${tail}`);
  output.note(' Stopped.');
  return EXIT.done;
}

function tell(output: Output, { url, key, model, envFile }: Quickstart): void {
  output.note('');
  output.answer({ url, key, model: model.model, demo: model.demo, env_file: envFile }, () => [
    ` The gateway is at  ${url}`,
    ` The key is         ${key}`,
    '',
    ' Try it:',
    `   curl ${url}/api/chat -H 'Authorization: Bearer ${key}' \\`,
    `     -d '{"model":"${model.model}","messages":[{"role":"user","content":"hello"}]}'`,
    `   npx nzgw list-keys --env-file ${envFile}`,
    '',
  ]);
}

/** What fails here is told whole: every text is of our own servers and commands. */
function toFailure(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const [message = '', ...details] = (error instanceof Error ? error.message : String(error))
    .split('\n')
    .filter((line) => line !== '');
  const code = error instanceof StopRequested ? 'stopped' : 'quickstart_failed';
  return new CommandError(message, { exitCode: EXIT.failed, code, details, cause: error });
}
