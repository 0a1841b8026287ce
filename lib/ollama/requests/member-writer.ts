import type { PromptMeasure } from './native-request.ts';

const encoder = new TextEncoder();

/** encoding/json of Go, whose output templates show to the model, writes these as `\u003c`. */
const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;
const ESCAPE_BYTES = 6;

/** Collects the JSON members that go upstream and measures them on the way. */
export class MemberWriter {
  #text = '';
  #textBytes = 0;
  #messages = 0;
  #images = 0;
  #contextNumbers = 0;
  #template = false;

  /** A member that is no text: a flag, a number. */
  add(name: string, value: boolean | number | undefined): void {
    if (value !== undefined) this.#append(name, String(value));
  }

  addText(name: string, value: string | undefined): void {
    if (value === undefined) return;
    this.countText(value);
    this.#append(name, JSON.stringify(value));
  }

  /** Texts that are read one by one, as messages are. */
  addTexts(name: string, values: readonly string[] | undefined): void {
    if (values === undefined) return;
    this.#messages += values.length;
    for (const value of values) this.countText(value);
    this.#append(name, JSON.stringify(values));
  }

  /** An object or a list of objects: its whole JSON counts as text. */
  addJson(name: string, value: object | undefined): void {
    if (value === undefined) return;
    const json = JSON.stringify(value);
    this.countJson(json);
    this.#append(name, json);
  }

  /** Ollama takes an empty one for none. */
  addTemplate(value: string | undefined): void {
    if (value === undefined || value === '') return;
    this.#template = true;
    this.addText('template', value);
  }

  /** Messages whose texts the caller has counted. */
  addMessages(messages: readonly object[] | undefined): void {
    if (messages === undefined) return;
    this.#messages += messages.length;
    this.#append('messages', JSON.stringify(messages));
  }

  addImages(images: readonly string[] | undefined): void {
    if (images === undefined) return;
    this.countImages(images);
    this.#append('images', JSON.stringify(images));
  }

  addContext(numbers: readonly number[] | undefined): void {
    if (numbers === undefined) return;
    this.#contextNumbers += numbers.length;
    this.#append('context', JSON.stringify(numbers));
  }

  countText(text: string): void {
    this.#textBytes += Buffer.byteLength(text);
  }

  /** JSON that the model will read as Go writes it: some characters as an escape of six. */
  countJson(json: string): void {
    this.countText(json);
    for (const [character] of json.matchAll(ESCAPED_BY_GO)) {
      this.#textBytes += ESCAPE_BYTES - Buffer.byteLength(character);
    }
  }

  countImages(images: readonly string[]): void {
    this.#images += images.length;
  }

  finish(): { readonly members: Uint8Array; readonly measure: PromptMeasure } {
    return {
      members: encoder.encode(this.#text),
      measure: {
        textBytes: this.#textBytes,
        messages: this.#messages,
        images: this.#images,
        contextNumbers: this.#contextNumbers,
        template: this.#template,
      },
    };
  }

  #append(name: string, json: string): void {
    this.#text += this.#text === '' ? `"${name}":${json}` : `,"${name}":${json}`;
  }
}
