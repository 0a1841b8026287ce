import { expect } from 'chai';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';
import { PromptCapture } from '../../../lib/promptlog/prompt-capture.ts';

const OWNER = { id: 'id', tenantId: 'acme', keyId: 'key' };
const MEMBERS = '"messages":[{"role":"user","content":"hé"}]';

describe('promptlog/prompt-capture', () => {
  const roomy = (): ByteBudget => new ByteBudget(1_000_000, 1_000_000);

  function capture(members: string | Buffer, maxBytes = 10_000, memory = roomy()): PromptCapture {
    const bytes = Buffer.from(members);
    const request = { ...OWNER, endpoint: 'chat', model: 'm:latest', members: bytes };
    const made = new PromptCapture(request, { memory, maxBytes });
    // It is another's memory, and soon holds something else.
    bytes.fill(0);
    return made;
  }

  const line = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
  const token = (content: string): Buffer => line({ model: 'm', message: { content } });
  const read = (made: PromptCapture): Record<string, unknown> =>
    JSON.parse(made.toText()) as Record<string, unknown>;

  it('holds the request as it goes to the model and what the model said', () => {
    const made = capture(MEMBERS);
    made.note(line({ message: { content: '', thinking: 'hm' } }));
    made.note(token('a'));
    made.note(token('b'));
    made.note(line({ message: { tool_calls: [{ function: { name: 'f', arguments: {} } }] } }));
    made.note(line({ message: { content: '' }, done: true, eval_count: 3 }));
    expect(read(made)).to.deep.equal({
      version: 1,
      endpoint: 'chat',
      model: 'm:latest',
      request: { messages: [{ role: 'user', content: 'hé' }] },
      reply: {
        content: 'ab',
        thinking: 'hm',
        tool_calls: [{ function: { name: 'f', arguments: {} } }],
      },
    });
    expect(made.cut).to.equal(false);
  });

  it('holds the reply of a generation, and passes over what is none', () => {
    const made = capture('"prompt":"x"');
    made.note(line({ response: 'a', thinking: 't' }));
    made.note(Buffer.from('<html>\n'));
    made.note(line({ response: 1, thinking: null, tool_calls: 'x' }));
    expect(read(made)['reply']).to.deep.equal({ content: 'a', thinking: 't', tool_calls: [] });
  });

  it('cuts a long request between characters, and leaves room for the reply', () => {
    const made = capture(`"prompt":"${'é'.repeat(1_000)}"`, 1_001);
    made.note(line({ response: 'answer' }));
    const { request, reply } = read(made);
    expect(request).to.match(/^"prompt":"é+$/);
    expect(Buffer.byteLength(request as string)).to.be.within(993, 995);
    expect(reply).to.have.property('content', 'answer');
    expect(made.cut).to.equal(true);
  });

  it('cuts a long reply, and says so', () => {
    const made = capture('"prompt":"x"', 1_000);
    for (let i = 0; i < 200; i += 1) made.note(line({ response: '0123456789' }));
    made.note(line({ response: 'x' }));
    const { content } = read(made)['reply'] as { content: string };
    expect(content).to.match(/^(0123456789)+$/);
    expect(content.length).to.be.within(970, 1_000);
    expect(made.cut).to.equal(true);
  });

  it('cuts a request for a reply, of which a quarter has room in any case', () => {
    const made = capture(`"prompt":"${'p'.repeat(980)}"`, 1_000);
    expect(read(made)['request']).to.deep.equal({ prompt: 'p'.repeat(980) });
    for (let i = 0; i < 100; i += 1) made.note(line({ response: '0123456789' }));
    const { request, reply } = read(made) as { request: string; reply: { content: string } };
    expect(reply.content).to.have.length(250);
    expect(request).to.equal(`"prompt":"${'p'.repeat(740)}`);
  });

  it('does not read a line that is no token, and says so', () => {
    const made = capture('"prompt":"x"', 1_000_000);
    made.note(
      line({ response: '', done: true, context: Array.from({ length: 30_000 }, () => 12_345) }),
    );
    expect(made.cut).to.equal(false);
    made.note(line({ response: 'x'.repeat(300_000) }));
    expect(read(made)['reply']).to.have.property('content', '');
    expect(made.cut).to.equal(true);
  });

  it('is lost where there is no room for it, holds nothing then, and gives back what it had', () => {
    const memory = new ByteBudget(40_000, 40_000);
    const first = capture('"prompt":"x"', 100_000, memory);
    const second = capture('"prompt":"y"', 100_000, memory);
    expect(memory.heldBytes).to.equal(32_768);
    const third = capture('"prompt":"z"', 100_000, memory);
    expect(third.lost).to.equal(true);
    for (let i = 0; i < 30; i += 1) second.note(line({ response: 'x'.repeat(1_000) }));
    expect(second.lost).to.equal(true);
    expect(second.toText()).to.not.include('"y"');
    expect(memory.heldBytes).to.equal(16_384);
    first.release();
    third.release();
    expect(memory.heldBytes).to.equal(0);
  });
});
