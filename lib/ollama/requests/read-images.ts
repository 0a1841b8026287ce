import { nameField, toFieldFault } from './field-faults.ts';
import { readTexts } from './read-values.ts';

const NOT_BASE64 = /[^A-Za-z0-9+/=\r\n]/;
const PADDING = /^={1,2}[\r\n]*$/;

/** Base64 texts without a data-URL prefix; only their letters are checked, the upstream decodes. */
export function readImages(value: unknown, at: string, name: string): string[] | undefined {
  const images = readTexts(value, at, name);
  images?.forEach((image, index) => {
    if (!isBase64(image)) {
      throw toFieldFault(nameField(at, `${name}[${index}]`), 'base64 without a data URL prefix');
    }
  });
  return images;
}

/** Whether a text has the letters and the padding of base64, in lines or not. */
export function isBase64(text: string): boolean {
  if (text === '' || NOT_BASE64.test(text)) return false;
  const padding = text.indexOf('=');
  return padding === -1 || (text.length - padding < 16 && PADDING.test(text.slice(padding)));
}
