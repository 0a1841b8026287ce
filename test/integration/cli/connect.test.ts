import { expect } from 'chai';
import { makeKey } from '../../../lib/auth/key-format.ts';
import { readDocument, readFailure, runNzgw } from '../../support/run-nzgw.ts';

describe('cli: connect', function () {
  this.timeout(60_000);

  it('needs no service and no setting: the text alone on stdout, advice on stderr', async () => {
    const run = await runNzgw(['connect', 'openai-python']);
    expect(run.code).to.equal(0);
    expect(run.stdout).to.include("base_url='http://127.0.0.1:8080/v1'").and.include("'MODEL'");
    expect(run.stderr).to.include('NZGW_API_KEY').and.include('nzgw list-models');
    const quiet = await runNzgw(['connect', 'openai-python', '--quiet']);
    expect(quiet).to.deep.equal({ ...run, stderr: '' });
  });

  it('goes by the settings of the listener, and by --url and --model before them', async () => {
    const env = { NZGW_HOST: '0.0.0.0', NZGW_PORT: '9000' };
    const [own, told] = await Promise.all([
      runNzgw(['connect', 'curl'], { env }),
      runNzgw(['connect', 'curl', '--url', 'https://api.example.com', '--model', 'llama3'], {
        env,
      }),
    ]);
    expect(own.stdout).to.include("'http://127.0.0.1:9000/v1/chat/completions'");
    expect(told.stdout).to.include("'https://api.example.com/v1/chat/completions'");
    expect(told.stdout).to.include('"model":"llama3"');
    expect(told.stderr).to.not.include('list-models');
  });

  it('tells programs one document', async () => {
    const run = await runNzgw(['connect', 'ollama', '--json', '--url', 'https://api.example.com/']);
    const document = readDocument(run);
    expect([run.code, run.stderr]).to.deep.equal([0, '']);
    expect(document).to.have.all.keys('client', 'url', 'text');
    expect(document).to.include({ client: 'ollama', url: 'https://api.example.com' });
    expect(document['text']).to.include("host='https://api.example.com',\n");
  });

  it('a client that it does not know is exit 2, with those that it knows', async () => {
    const run = await runNzgw(['connect', 'openai-pyton', '--json']);
    expect([run.code, run.stdout]).to.deep.equal([2, '']);
    const failure = readFailure(run);
    expect(failure).to.include({ code: 'usage', hint: 'did you mean openai-python?' });
    expect(failure['message']).to.include('open-webui').and.include('curl');
  });

  it('a key is taken in no place, and neither are credentials in the URL', async () => {
    const { key, publicId } = makeKey();
    const runs = await Promise.all([
      runNzgw(['connect', 'curl', '--model', key]),
      runNzgw(['connect', 'curl', '--url', `https://x:${key}@api.example.com`]),
      runNzgw(['connect', 'curl', '--url', 'https://x:hunter2@api.example.com']),
    ]);
    for (const run of runs) {
      expect([run.code, run.stdout]).to.deep.equal([2, '']);
      expect(run.stderr).to.not.include(publicId).and.not.include('hunter2');
    }
  });
});
