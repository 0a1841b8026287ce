import type { PromptMeasure } from './native-request.ts';

const encoder = new TextEncoder();

/** Collects the JSON members that go upstream and measures them on the way. */
export class MemberWriter {
  #text = '';
  #textBytes = 0;
  #messages = 0;
  #images = 0;
  #contextNumbers = 0;

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
    this.countText(json);
    this.#append(name, json);
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
      },
    };
  }

  #append(name: string, json: string): void {
    this.#text += this.#text === '' ? `"${name}":${json}` : `,"${name}":${json}`;
  }
}
