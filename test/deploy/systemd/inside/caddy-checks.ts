import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { follow } from './document.ts';
import { mustRun } from './host.ts';
import { askFromOutside, OUTER_ADDRESS } from './outside.ts';
import { check, ensure } from './record.ts';
import type { Shell } from './shell.ts';

const NAME = 'api.neuronetz.ai';
const DROP_IN = '/run/systemd/system/caddy.service.d';
/** Of the authority that Caddy makes where Let's Encrypt cannot be asked. */
const AUTHORITY = '/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt';

/**
 * Caddy as the document has it. Only what names the world is another: the name leads to this machine, and
 * the certificate is of Caddy's own authority.
 */
export async function checkCaddy(shell: Shell): Promise<void> {
  appendFileSync('/etc/hosts', `127.0.0.1 ${NAME}\n`);
  mkdirSync(DROP_IN, { recursive: true });
  writeFileSync(`${DROP_IN}/internal.conf`, '[Service]\nEnvironment=NZGW_CADDY_TLS=internal\n');
  await shell.run(`export CURL_CA_BUNDLE=${AUTHORITY}`);
  await check('the document: Caddy in front', async () => {
    const said = await follow(shell, '### Caddy in front');
    ensure(said.includes('"models"'), said);
    return said;
  });
  await check(
    'another machine is served by TLS, and reaches no listener of the gateway',
    async () => {
      const trusted = ['--resolve', `${NAME}:443:${OUTER_ADDRESS}`, '--cacert', AUTHORITY];
      const seen = [
        await askFromOutside(`https://${NAME}/`, ...trusted),
        await askFromOutside(`http://${OUTER_ADDRESS}:8080/`),
        await askFromOutside(`http://${OUTER_ADDRESS}:9464/metrics`),
      ];
      ensure(seen.join(' ') === 'answers refused refused', seen.join(' '));
      return seen.join(' ');
    },
  );
  await check('what is for the operator is not found there', async () => {
    const seen: string[] = [];
    for (const path of ['metrics', 'readyz', 'healthz', '%6detrics']) {
      const format = ['-sS', '--output', '/dev/null', '--write-out', '%{http_code}'];
      seen.push(await mustRun('curl', ...format, '--cacert', AUTHORITY, `https://${NAME}/${path}`));
    }
    ensure(
      seen.every((status) => status === '404'),
      seen.join(' '),
    );
    return seen.join(' ');
  });
}
