import { CLIENTS } from '../connect/clients.ts';
import { toDefaultUrl } from '../connect/default-url.ts';
import type { Target } from '../connect/libraries.ts';
import { usageError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';
import { suggest } from '../program/suggest.ts';
import { gatewayUrl } from '../values/gateway-url.ts';
import { model as modelName } from '../values/model.ts';
import { readOptions } from '../values/value.ts';

const NAMES = [...CLIENTS.keys()];
const PLACEHOLDER = 'MODEL';

export const connect = defineCommand({
  name: 'connect',
  summary: 'Prints settings to paste into a client; the key stays in the environment.',
  positionals: [{ name: 'CLIENT', required: true, meaning: NAMES.join(', ') }],
  options: [
    {
      name: 'url',
      placeholder: 'URL',
      meaning: 'Where clients reach the gateway; else from NZGW_HOST and NZGW_PORT.',
    },
    { name: 'model', placeholder: 'NAME', meaning: `The model to ask for; else ${PLACEHOLDER}.` },
  ],
  examples: [
    'nzgw connect openai-python',
    'nzgw connect open-webui --url https://api.example.com',
    'nzgw connect curl --model llama3 --json',
  ],
  needs: ['host', 'port'],
  run({ positionals: [client = ''], options, settings, output }) {
    const write = CLIENTS.get(client) ?? refuseClient(client);
    const shape = { url: gatewayUrl.optional(), model: modelName.optional() };
    const { url = toDefaultUrl(settings), model = PLACEHOLDER } = readOptions(shape, options);
    const text = write({ url, model });
    output.answer({ client, url, text }, () => text.split('\n'));
    output.note('NZGW_API_KEY is the key: read -rs NZGW_API_KEY && export NZGW_API_KEY');
    if (options['model'] === undefined && text.includes(PLACEHOLDER)) {
      output.note(`${PLACEHOLDER} is one that the key may use: nzgw list-models`);
    }
    return Promise.resolve(EXIT.done);
  },
});

function refuseClient(typed: string): (target: Target) => string {
  const guess = suggest(typed, NAMES);
  throw usageError(
    `no settings for the client "${typed}"; known: ${NAMES.join(', ')}`,
    guess === undefined ? undefined : `did you mean ${guess}?`,
  );
}
