import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { CLIENTS } from '../../../../bin/connect/clients.ts';
import { toDefaultUrl } from '../../../../bin/connect/default-url.ts';
import { CommandError } from '../../../../bin/program/command-error.ts';
import { gatewayUrl } from '../../../../bin/values/gateway-url.ts';
import { model } from '../../../../bin/values/model.ts';

const TARGET = { url: 'https://api.example.com', model: 'acme/coder:7b' };

function write(client: string, target = TARGET): string {
  return CLIENTS.get(client)?.(target) ?? '';
}

/** Whether Node takes it for a module, without running it. */
function checkModule(source: string): string {
  const options = { input: source, encoding: 'utf8', timeout: 10_000 } as const;
  return spawnSync(process.execPath, ['--check', '--input-type=module', '-'], options).stderr;
}

describe('bin/connect', () => {
  it('knows the clients that are promised', () => {
    expect([...CLIENTS.keys()]).to.deep.equal([
      'openai-python',
      'openai-node',
      'ollama',
      'langchain',
      'open-webui',
      'continue',
      'curl',
    ]);
  });

  it('every client is told where to go, and finds the key by its variable', () => {
    for (const client of CLIENTS.keys()) {
      const text = write(client);
      expect(text, client).to.include(TARGET.url).and.to.include('NZGW_API_KEY');
      expect(text, client).to.not.match(/nz_|undefined|\[object/);
      // Open WebUI asks for the list itself.
      if (client !== 'open-webui') expect(text, client).to.include(TARGET.model);
    }
  });

  it('clients of OpenAI go to /v1, those of Ollama to the gateway itself', () => {
    for (const client of ['openai-python', 'openai-node', 'open-webui', 'curl']) {
      expect(write(client), client).to.include(`${TARGET.url}/v1`);
    }
    for (const client of ['ollama', 'continue']) {
      expect(write(client), client).to.not.include('/v1');
    }
    expect(write('langchain')).to.include(`base_url='${TARGET.url}/v1'`);
    expect(write('langchain')).to.include(`base_url='${TARGET.url}',`);
  });

  it('gives Ollama’s libraries the key as a header: their own key is for ollama.com alone', () => {
    expect(write('ollama')).to.match(/headers=\{'Authorization': 'Bearer '/);
    expect(write('ollama')).to.include('headers: { Authorization: `Bearer ${process.env.');
    expect(write('langchain')).to.include("client_kwargs={'headers': {'Authorization'");
  });

  it('what is JavaScript is JavaScript', () => {
    const [, ollama = ''] = write('ollama').split(/^(?=\/\/ JavaScript)/m);
    for (const source of [write('openai-node'), ollama]) {
      expect(source).to.include('import ');
      expect(checkModule(source)).to.equal('');
    }
    expect(checkModule('const = 1')).to.include('SyntaxError');
  });

  it('no client is given the key as an argument, which other users of the machine could read', () => {
    expect(write('curl')).to.match(/^printf .*"\$NZGW_API_KEY" \|$/m);
    expect(write('curl')).to.not.match(/-H [^\n]*NZGW_API_KEY/);
    const body = /-d '(.*)'$/.exec(write('curl'))?.[1] ?? '';
    expect(JSON.parse(body)).to.deep.equal({
      model: TARGET.model,
      messages: [{ role: 'user', content: 'hello' }],
    });
  });

  it('warns who would look for the gateway inside a container', () => {
    for (const url of ['http://127.0.0.1:8080', 'http://[::1]:8080', 'http://localhost:8080']) {
      expect(write('open-webui', { ...TARGET, url }), url).to.include('# In a container');
    }
    expect(write('open-webui')).to.not.include('# In a container');
  });

  it('without a URL the listener’s own is told, as one reaches it on the same machine', () => {
    const urls = ['127.0.0.1', '0.0.0.0', '::', '::1', '10.0.0.7', 'gpu.example'].map((host) =>
      toDefaultUrl({ host, port: 8_081 }),
    );
    expect(urls).to.deep.equal([
      'http://127.0.0.1:8081',
      'http://127.0.0.1:8081',
      'http://[::1]:8081',
      'http://[::1]:8081',
      'http://10.0.0.7:8081',
      'http://gpu.example:8081',
    ]);
    expect(() => toDefaultUrl({ host: '127.0.0.1', port: 0 })).to.throw(CommandError, 'NZGW_PORT');
  });

  it('takes a URL that settings can be made of, and does not repeat another', () => {
    const good = ['https://API.example.com/', 'http://gpu:8080', ' http://[::1]:80 '];
    expect(good.map((text) => gatewayUrl.parse(text))).to.deep.equal([
      'https://api.example.com',
      'http://gpu:8080',
      'http://[::1]',
    ]);
    for (const text of [
      'api.example.com',
      'https://a/v1',
      'https://user:pass@a',
      'ftp://a',
      'https://a:99999',
      'https://a?key=x',
      "https://a'b",
      'https://$(id)',
      '',
    ]) {
      const { error } = gatewayUrl.safeParse(text);
      expect(
        error?.issues.map(({ message }) => message),
        text,
      ).to.have.length(1);
      if (text !== '') expect(error?.issues[0]?.message).to.not.include(text);
    }
  });

  it('takes a model whose name cannot end a quote', () => {
    expect(model.parse('hf.co/user/x:Q4_K_M')).to.equal('hf.co/user/x:Q4_K_M');
    for (const text of ["a'b", 'a"b', 'a b', '$(id)', 'a`b', 'a//b', '-', '']) {
      expect(model.safeParse(text).success, text).to.equal(false);
    }
  });
});
