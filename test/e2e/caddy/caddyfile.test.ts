import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findCaddy } from '../../support/find-caddy.ts';
import { CADDYFILE, chooseRelease } from '../../support/start-caddy.ts';

const run = promisify(execFile);

const program = await findCaddy();

if (program !== undefined) {
  describe('e2e: deploy/Caddyfile as Caddy reads it', function () {
    this.timeout(30_000);
    let release: Readonly<Record<string, string>>;

    before(async () => {
      release = await chooseRelease(program);
    });

    async function adapt(env: Readonly<Record<string, string>> = {}): Promise<string> {
      const args = ['adapt', '--adapter', 'caddyfile', '--config', CADDYFILE];
      return (await run(program ?? '', args, { env: { ...release, ...env } })).stdout;
    }

    for (const tls of [
      '',
      'internal',
      'ops@example.org',
      '/etc/caddy/cert.pem /etc/caddy/key.pem',
    ]) {
      it(`takes "${tls}" for certificates, for our name alone`, async () => {
        const config = await adapt({ NZGW_CADDY_TLS: tls });
        expect(config).to.include('"host":["api.neuronetz.ai"]');
        expect(config.includes('"module":"internal"')).to.equal(tls === 'internal');
        expect(config.includes('"email":"ops@example.org"')).to.equal(tls.startsWith('ops'));
        expect(config.includes('"load_files"')).to.equal(tls.startsWith('/'));
        expect(config).to.not.include('on_demand');
      });
    }

    it('has name, upstream and ports from the environment', async () => {
      const config = await adapt({
        NZGW_DOMAIN: 'llm.example.org',
        NZGW_UPSTREAM: 'gateway:8080',
        NZGW_CADDY_HTTPS_PORT: '8443',
        NZGW_CADDY_HTTP_PORT: '8081',
      });
      expect(config).to.include('"host":["llm.example.org"]');
      expect(config).to.include('"dial":"gateway:8080"');
      expect(config).to.include('"listen":[":8443"]');
      expect(config).to.include('"listen":[":8081"]');
      expect(config).to.not.include('neuronetz.ai');
    });

    it('holds nothing back, compresses nothing, waits as long as a model loads, opens no admin', async () => {
      const config = await adapt();
      expect(config).to.include('"admin":{"disabled":true}');
      expect(config).to.include('"compression":false');
      for (const word of [
        '"encode"',
        'write_timeout',
        'response_header_timeout',
        '"try_duration"',
      ]) {
        expect(config).to.not.include(word);
      }
      const text = await readFile(CADDYFILE, 'utf8');
      expect(text).to.match(/^\tflush_interval -1$/m);
    });

    it('is laid out as `caddy fmt` lays it out', async () => {
      const { stdout } = await run(program, ['fmt', CADDYFILE]);
      expect(stdout).to.equal(await readFile(CADDYFILE, 'utf8'));
    });

    it('does not start with what this Caddy does not know', async () => {
      const failed = await adapt({ NZGW_CADDY_RELEASE: '1.0' }).catch((error: unknown) => error);
      expect(String(failed)).to.include('streams_1.0');
    });
  });
}
