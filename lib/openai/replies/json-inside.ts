/*
 * JSON that grows by joining: what stands inside of quotes and brackets.
 */

/** A text escaped, without its quotes; '' for what is none. */
export function toTextInside(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : '';
}

/** Items with commas between them, without brackets. */
export function toItemsText(items: readonly unknown[]): string {
  return items.length === 0 ? '' : JSON.stringify(items).slice(1, -1);
}
