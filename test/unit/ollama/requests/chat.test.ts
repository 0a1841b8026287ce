import { expect } from 'chai';
import { GatewayError } from '../../../../lib/errors/gateway-error.ts';
import { rebuildChat } from '../../../../lib/ollama/requests/chat.ts';
import type { NativeRequest } from '../../../../lib/ollama/requests/native-request.ts';

function rebuild(body: unknown): NativeRequest {
  return rebuildChat(Buffer.from(JSON.stringify(body)));
}

function members(body: unknown): unknown {
  return JSON.parse(`{${Buffer.from(rebuild(body).members).toString()}}`);
}

/** What is refused, and which field is named. */
function refused(body: unknown): string | undefined {
  try {
    rebuild(body);
  } catch (error) {
    if (error instanceof GatewayError) return error.details.param ?? error.message;
    throw error;
  }
  return undefined;
}

const TOOL = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'tells it',
    parameters: { type: 'object', properties: { Model: { type: 'string', pattern: '^x' } } },
  },
};

const MESSAGES = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Wie ist’s?', images: ['QUJD', 'QUI=\n'] },
  {
    role: 'assistant',
    content: '',
    thinking: 'hm',
    tool_calls: [
      { id: 'call_1', function: { index: 0, name: 'weather', arguments: { 2: 'b', place: 'x' } } },
    ],
  },
  { role: 'tool', content: '8 °C', tool_name: 'weather', tool_call_id: 'call_1' },
];

describe('ollama/requests/chat', () => {
  it('known fields go on as they are, and nothing else does', () => {
    const body = {
      model: ' LLaMA3 ',
      messages: MESSAGES.map((message) => ({ ...message, name: 'dropped', audio: { a: 1 } })),
      stream: false,
      tools: [{ ...TOOL, strict: true }],
      format: { type: 'object', required: ['a'] },
      think: 'high',
      truncate: false,
      logprobs: true,
      top_logprobs: 20,
      options: { temperature: 0.5 },
      keep_alive: '5m',
      shift: true,
      tool_choice: 'auto',
      _debug_render_only: true,
      n: 3,
    };
    const request = rebuild(body);
    expect(request).to.include({
      model: ' LLaMA3 ',
      streamed: false,
      keepAlive: '5m',
      shift: true,
    });
    expect(request.idle).to.equal(null);
    expect(request.options).to.deep.equal({ temperature: 0.5 });
    expect(members(body)).to.deep.equal({
      messages: MESSAGES,
      tools: [TOOL],
      format: { type: 'object', required: ['a'] },
      think: 'high',
      truncate: false,
      logprobs: true,
      top_logprobs: 20,
    });
  });

  it('null means absent, everywhere', () => {
    const body = {
      model: 'm',
      messages: [{ role: 'user', content: 'x', thinking: null, images: null, tool_calls: null }],
      stream: null,
      format: null,
      keep_alive: null,
      tools: null,
      options: null,
      think: null,
      truncate: null,
      shift: null,
      logprobs: null,
      top_logprobs: null,
    };
    expect(members(body)).to.deep.equal({ messages: [{ role: 'user', content: 'x' }] });
    expect(rebuild(body)).to.include({ streamed: true, keepAlive: null, shift: null });
    expect(rebuild(body).options).to.deep.equal({});
  });

  it('an empty format means none, "json" is kept', () => {
    expect(members({ model: 'm', messages: [], format: '' })).to.deep.equal({ messages: [] });
    expect(members({ model: 'm', format: 'json' })).to.deep.equal({ format: 'json' });
  });

  it('think is a switch or a level', () => {
    for (const think of [true, false, 'low', 'medium', 'high', 'max']) {
      expect(members({ model: 'm', think })).to.deep.equal({ think });
    }
    for (const think of ['', 'High', 1, {}, 'none']) {
      expect(refused({ model: 'm', think })).to.equal('think');
    }
  });

  it('every text is measured in bytes of UTF-8, images and messages are counted', () => {
    const { measure } = rebuild({ model: 'm', messages: MESSAGES.slice(0, 2) });
    const texts = ['system', 'Be brief.', 'user', 'Wie ist’s?'];
    expect(measure).to.deep.equal({
      textBytes: Buffer.byteLength(texts.join('')),
      messages: 2,
      images: 2,
      contextNumbers: 0,
      template: false,
    });
  });

  it('objects are measured as Ollama writes them for the model: some characters as an escape of six', () => {
    const plain = rebuild({ model: 'm', messages: [] }).measure.textBytes;
    const text = `<&>\u{2028}\u{2029}`;
    const tools = [{ ...TOOL, function: { ...TOOL.function, description: text } }];
    const measured = rebuild({ model: 'm', messages: [], tools }).measure.textBytes - plain;
    const json = Buffer.byteLength(JSON.stringify(tools));
    expect(measured).to.equal(json - Buffer.byteLength(text) + 5 * 6);
  });

  it('objects are measured by their JSON', () => {
    const plain = rebuild({ model: 'm', messages: [] }).measure.textBytes;
    expect(plain).to.equal(0);
    const tools = rebuild({ model: 'm', tools: [TOOL], format: { a: 'é' } }).measure.textBytes;
    expect(tools).to.equal(Buffer.byteLength(JSON.stringify([TOOL]) + '{"a":"é"}'));
    const calls = [{ function: { name: 'f', arguments: {} } }];
    const called = rebuild({ model: 'm', messages: [{ tool_calls: calls }] }).measure.textBytes;
    expect(called).to.equal(JSON.stringify(calls).length);
  });

  it('no messages is a load, or with nothing to keep alive an unload', () => {
    expect(rebuild({ model: 'm' }).idle).to.equal('load');
    expect(rebuild({ model: 'm', messages: [] }).idle).to.equal('load');
    expect(rebuild({ model: 'm', messages: null, keep_alive: '5m' }).idle).to.equal('load');
    for (const keep_alive of [0, '0', '0s', '-0s', '0h0m', '0.0s', 1e-10]) {
      expect(rebuild({ model: 'm', keep_alive }).idle, String(keep_alive)).to.equal('unload');
    }
    const asked = { model: 'm', messages: [{ content: '' }], keep_alive: 0 };
    expect(rebuild(asked).idle).to.equal(null);
  });

  const wrong: readonly (readonly [string, object])[] = [
    ['model', { model: 5 }],
    ['model', { model: '' }],
    ['model', { model: null }],
    ['messages', { messages: {} }],
    ['messages', { messages: 'hi' }],
    ['messages[1]', { messages: [{}, 'hi'] }],
    ['messages[0]', { messages: [null] }],
    ['messages[0]', { messages: [[]] }],
    ['messages[0].role', { messages: [{ role: 1 }] }],
    ['messages[0].content', { messages: [{ content: [{ type: 'text' }] }] }],
    ['messages[0].thinking', { messages: [{ thinking: true }] }],
    ['messages[0].tool_name', { messages: [{ tool_name: 1 }] }],
    ['messages[0].images', { messages: [{ images: 'QUJD' }] }],
    ['messages[0].images[1]', { messages: [{ images: ['QUJD', 5] }] }],
    ['messages[0].images[0]', { messages: [{ images: ['data:image/png;base64,QUJD'] }] }],
    ['messages[0].images[0]', { messages: [{ images: [''] }] }],
    ['messages[0].images[0]', { messages: [{ images: ['QU=JD'] }] }],
    ['messages[0].images[0]', { messages: [{ images: ['QUJD==='] }] }],
    ['messages[0].tool_calls', { messages: [{ tool_calls: {} }] }],
    ['messages[0].tool_calls[0]', { messages: [{ tool_calls: [1] }] }],
    ['messages[0].tool_calls[0].function', { messages: [{ tool_calls: [{}] }] }],
    [
      'messages[0].tool_calls[0].function.arguments',
      { messages: [{ tool_calls: [{ function: { arguments: '{}' } }] }] },
    ],
    [
      'messages[0].tool_calls[0].function.index',
      { messages: [{ tool_calls: [{ function: { index: 0.5 } }] }] },
    ],
    ['tools', { tools: {} }],
    ['tools[0]', { tools: ['x'] }],
    ['tools[0].function', { tools: [{ type: 'function' }] }],
    ['tools[0].function', { tools: [{ function: [] }] }],
    ['tools[0].function.name', { tools: [{ function: { name: 1 } }] }],
    ['tools[0].function.parameters', { tools: [{ function: { parameters: 'x' } }] }],
    ['tools[0].type', { tools: [{ type: 1, function: {} }] }],
    ['format', { format: 'xml' }],
    ['format', { format: [] }],
    ['format', { format: true }],
    ['stream', { stream: 'true' }],
    ['truncate', { truncate: 1 }],
    ['shift', { shift: 'no' }],
    ['logprobs', { logprobs: 1 }],
    ['top_logprobs', { top_logprobs: 21 }],
    ['top_logprobs', { top_logprobs: -1 }],
    ['top_logprobs', { top_logprobs: 1.5 }],
    ['options', { options: [] }],
  ];

  for (const [field, part] of wrong) {
    it(`${JSON.stringify(part)} is refused and ${field} named`, () => {
      expect(refused({ model: 'm', ...part })).to.equal(field);
    });
  }

  it('a model must be named', () => {
    expect(refused({ messages: [] })).to.equal('model');
  });
});
