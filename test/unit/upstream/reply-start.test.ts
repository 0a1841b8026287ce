import { expect } from 'chai';
import { ReplyStart, judgeError } from '../../../lib/upstream/reply-start.ts';

const UNWORDED = '{"error":"llama runner process has terminated"}\n';
const WORDED = '{"error":"\\"llama3\\" does not support thinking"}\n';

describe('upstream/reply-start', () => {
  const read = (...chunks: readonly string[]): unknown => {
    const start = new ReplyStart();
    return chunks.map((chunk) => start.read(Buffer.from(chunk))).at(-1);
  };

  it('takes anything for the first token that does not begin as an error does', () => {
    expect(read('{"model":"llama3","response":"a"}\n')).to.equal('success');
    expect(read('{"errors":1}'.slice(0, 7), 's":1}')).to.equal('success');
    expect(read('\n')).to.equal('success');
    expect(read('<html>')).to.equal('success');
  });

  it('takes an error line for a failure, unless the client can mend it', () => {
    expect(read(UNWORDED)).to.equal('failure');
    expect(read(WORDED)).to.equal('none');
  });

  it('waits until it can tell, however the bytes are cut', () => {
    expect(read('')).to.equal(undefined);
    expect(read('{', '"err')).to.equal(undefined);
    expect(read('{', '"err', 'or":"boom"}\n')).to.equal('failure');
    expect(read('{', '"eval')).to.equal('success');
  });

  it('judges an error by its whole line, wherever that is cut', () => {
    for (let at = 1; at < WORDED.length; at += 1) {
      const cut = [WORDED.slice(0, at), WORDED.slice(at)];
      expect(read(cut[0] ?? ''), `${at} bytes`).to.equal(undefined);
      expect(read(...cut), `cut at ${at}`).to.equal('none');
    }
    expect(read(...(WORDED.match(/./gs) ?? []))).to.equal('none');
    expect(read(...(UNWORDED.match(/./gs) ?? []))).to.equal('failure');
  });

  it('judges by what there is a line that has no end, or too long a one', () => {
    const start = new ReplyStart();
    expect(start.read(Buffer.from(WORDED.trimEnd()))).to.equal(undefined);
    expect(start.end()).to.equal('none');
    expect(new ReplyStart().end()).to.equal('failure');
    const long = new ReplyStart();
    expect(long.read(Buffer.from(UNWORDED.trimEnd()))).to.equal(undefined);
    expect(long.read(Buffer.alloc(20_000, 'x'))).to.equal('failure');
  });

  it('holds what a model wrote against no server', () => {
    const text = '{"error":"error parsing tool call: raw=\'{\', err=unexpected end of JSON input"}';
    expect(judgeError(500, text)).to.equal('none');
  });

  it('holds nothing against a server that the request itself brought about', () => {
    for (const text of [
      'template: :1: unclosed action',
      'template: :3:12: executing "" at <.Prompt.x>: can\'t evaluate field x in type string',
      'template: tools.v2:1: function "now" not defined',
      'failed to encode response: json: unsupported value: NaN',
      'json: unsupported value: +Inf',
    ]) {
      expect(judgeError(500, JSON.stringify({ error: text })), text).to.equal('none');
    }
    for (const text of ['template: missing', 'unsupported value: a string', 'no template:']) {
      expect(judgeError(500, JSON.stringify({ error: text })), text).to.equal('failure');
    }
  });

  it('knows what an error line that came first means for its client', () => {
    const readError = (text: string): unknown => {
      const start = new ReplyStart();
      start.read(Buffer.from(text));
      return start.readError();
    };
    expect(readError(WORDED)).to.deep.include({ status: 400, details: { param: 'think' } });
    expect(readError(UNWORDED)).to.include({ status: 502 });
    expect(readError('{"model":"llama3"}\n')).to.equal(null);
    expect(readError('')).to.equal(null);
  });

  it('of an answer that is not 200 only a 5xx that nobody can word is a failure', () => {
    expect(judgeError(500, UNWORDED)).to.equal('failure');
    expect(judgeError(503, 'busy')).to.equal('failure');
    expect(judgeError(500, WORDED)).to.equal('none');
    expect(judgeError(500, '{"error":"invalid JSON schema in format"}')).to.equal('none');
    for (const status of [204, 307, 400, 401, 404]) {
      expect(judgeError(status, UNWORDED)).to.equal('none');
    }
  });
});
