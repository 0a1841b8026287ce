import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import type { PromptMeasure } from '../../../lib/ollama/requests/native-request.ts';
import { translateChat } from '../../../lib/openai/requests/chat.ts';
import { translateCompletion } from '../../../lib/openai/requests/completion.ts';
import { translateEmbeddings } from '../../../lib/openai/requests/embeddings.ts';

type Translate = typeof translateChat;

const PNG = 'data:image/png;base64,';

function toBytes(body: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(body));
}

function measureChat(fields: object): PromptMeasure {
  return translateChat(toBytes({ model: 'm', ...fields })).measure;
}

function countBytes(...texts: readonly string[]): number {
  return Buffer.byteLength(texts.join(''));
}

function refused(translate: Translate, bytes: Uint8Array): GatewayError {
  try {
    translate(bytes);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('openai/requests: what the prompt is measured by', () => {
  it('every text of a message counts in bytes of UTF-8, the name a result was given too', () => {
    const call = { id: 'call_é', function: { name: 'wetter', arguments: '{ "ort": "Köln" }' } };
    const messages = [
      { role: 'developer', content: 'Kurz, bitte – ja?' },
      { role: 'user', content: [toPart('Wie ist’s'), toPart(' heute? 🌦')] },
      { role: 'assistant', content: null, reasoning_content: 'hm…', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_é', content: '8 °C', name: null },
    ];
    const native = '[{"id":"call_é","function":{"name":"wetter","arguments":{"ort":"Köln"}}}]';
    expect(measureChat({ messages })).to.deep.equal({
      textBytes:
        countBytes('system', 'Kurz, bitte – ja?', 'user', 'Wie ist’s heute? 🌦') +
        countBytes('assistant', 'hm…', native, 'tool', 'wetter', 'call_é', '8 °C'),
      messages: 4,
      images: 0,
      contextNumbers: 0,
      template: false,
    });
  });

  it('pictures and sounds count one by one and not as text', () => {
    const content = [
      { type: 'image_url', image_url: { url: `${PNG}QUJD` } },
      { type: 'input_audio', input_audio: { data: 'QUJD', format: 'wav' } },
      { type: 'image_url', image_url: `${PNG}QUJD` },
    ];
    const measure = measureChat({ messages: [{ role: 'user', content }, { content }] });
    expect(measure).to.include({ images: 6, messages: 2, textBytes: 'user'.length });
  });

  it('tools and a schema count by their JSON as Ollama writes it', () => {
    const plain = measureChat({ messages: [{ content: 'a' }] }).textBytes;
    const tools = [{ type: 'function', function: { name: 'f', description: 'é' } }];
    const schema = { type: 'object', description: '<' };
    const format = { type: 'json_schema', json_schema: { name: 'long name', schema } };
    const measured = measureChat({ messages: [{ content: 'a' }], tools, response_format: format });
    const json = countBytes(JSON.stringify(tools), JSON.stringify(schema));
    expect(measured.textBytes - plain).to.equal(json - 1 + String.raw`\u003c`.length);
  });

  it('what does not go upstream does not count', () => {
    const plain = measureChat({ messages: [{ content: 'a' }] });
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const more = measureChat({
      messages: [{ content: 'a', name: 'Ann', refusal: 'no' }],
      tools,
      tool_choice: 'none',
      response_format: { type: 'text', json_schema: { schema: { type: 'object' } } },
      user: 'somebody',
    });
    expect(more).to.deep.equal(plain);
  });

  it('prompt and suffix of a completion count', () => {
    const body = { model: 'm', prompt: ['é'], suffix: 'ab', stop: 'not this' };
    expect(translateCompletion(toBytes(body)).measure).to.include({ textBytes: 4, messages: 0 });
  });

  it('each text of a list to embed is a prompt of its own', () => {
    const measure = (input: unknown): PromptMeasure =>
      translateEmbeddings(toBytes({ model: 'm', input })).measure;
    expect(measure('é')).to.include({ textBytes: 2, messages: 0 });
    expect(measure(['é', 'a', ''])).to.include({ textBytes: 3, messages: 3 });
    expect(measure('')).to.include({ textBytes: 0, messages: 1 });
  });
});

describe('openai/requests: bodies that mean harm', () => {
  it('bytes that are no UTF-8 are refused on every endpoint', () => {
    const bytes = Buffer.from('{"model":"m\xff"}', 'latin1');
    for (const translate of [translateChat, translateCompletion, translateEmbeddings]) {
      expect(refused(translate, bytes).code).to.equal('invalid_request');
    }
  });

  it('what is deeper than 64 is refused wherever the client may write freely', () => {
    const deep: unknown = JSON.parse('['.repeat(65) + ']'.repeat(65));
    const messages = [{ role: 'user', content: 'a' }];
    const json = JSON.stringify({ deep });
    const bodies: readonly [string | undefined, object][] = [
      ['response_format.json_schema.schema', { response_format: toFormat({ deep }) }],
      ['tools[0].function.parameters', { tools: [{ function: { parameters: { deep } } }] }],
      ['tool_choice', { tool_choice: { deep } }],
      [undefined, { metadata: deep }],
      ['messages[0].tool_calls[0].function.arguments', { messages: [toCaller(json)] }],
    ];
    for (const [param, fields] of bodies) {
      const error = refused(translateChat, toBytes({ model: 'm', messages, ...fields }));
      expect(error.details.param).to.equal(param);
      expect(error.message).to.include('nested deeper than 64');
    }
  });

  it('a depth that would overflow a stack is refused as any other', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const text = JSON.stringify({ model: 'm', messages: [toCaller(`{"a":${deep}}`)] });
    const error = refused(translateChat, Buffer.from(text));
    expect(error.details.param).to.equal('messages[0].tool_calls[0].function.arguments');
  });

  it('one long name of a tool is not copied into ten thousand results', () => {
    const toBody = (name: string): Uint8Array => {
      const call = { id: 'a', function: { name, arguments: '{}' } };
      const result = { role: 'tool', tool_call_id: 'a', content: '' };
      const results = Array.from({ length: 10_000 }, () => result);
      return toBytes({ model: 'm', messages: [{ tool_calls: [call] }, ...results] });
    };
    const error = refused(translateChat, toBody('n'.repeat(127)));
    expect(error.details.param).to.equal('messages[0].tool_calls[0].function.name');
    expect(refused(translateChat, toBody('\u0001'.repeat(22))).status).to.equal(400);

    const body = toBody('n'.repeat(126));
    expect(translateChat(body).members.length).to.be.lessThan(5 * body.length);
  });

  it('a long name that no result needs is taken', () => {
    const name = 'n'.repeat(500);
    const call = { id: 'a', function: { name, arguments: '{}' } };
    const result = { role: 'tool', tool_call_id: 'a', name: 'n', content: '' };
    const { measure } = translateChat(
      toBytes({ model: 'm', messages: [{ tool_calls: [call] }, result] }),
    );
    expect(measure.textBytes).to.be.greaterThan(500);
  });

  it('a refusal never tells the value that was refused', () => {
    const secret = 'sk-very-secret';
    const messages = [{ role: 'user', content: 'a' }];
    const bodies: readonly object[] = [
      { messages: [{ content: [{ type: secret }] }] },
      { messages: [{ content: [{ type: 'image_url', image_url: `https://${secret}` }] }] },
      { messages: [toCaller(`{"${secret}`)] },
      { messages, reasoning_effort: secret },
      { messages, stream: secret },
      { messages, [secret]: JSON.parse('{"__proto__":1}') as unknown },
    ];
    for (const fields of bodies) {
      const error = refused(translateChat, toBytes({ model: 'm', ...fields }));
      expect(`${error.message} ${error.details.param ?? ''}`).to.not.include(secret);
    }
  });

  it('an image that lies elsewhere is refused with the way to send it', () => {
    const content = [{ type: 'image_url', image_url: { url: 'http://example.com/a.png' } }];
    const error = refused(translateChat, toBytes({ model: 'm', messages: [{ content }] }));
    expect(error.message).to.include('data URL').and.to.include('not fetched');
  });
});

function toPart(text: string): object {
  return { type: 'text', text };
}

function toFormat(schema: object): object {
  return { type: 'json_schema', json_schema: { schema } };
}

function toCaller(json: string): object {
  return { role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: json } }] };
}
