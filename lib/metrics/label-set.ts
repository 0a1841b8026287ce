const NONE = 'none';
const OTHER = 'other';

/** Gives the first so many values a label of their own; whatever comes after is `other`. */
export class LabelSet {
  readonly #own = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** The label of a value: itself, `other`, or `none` where there is no value. */
  name(value: string | undefined): string {
    if (value === undefined) return NONE;
    if (this.#own.has(value)) return value;
    if (this.#own.size >= this.#most) return OTHER;
    this.#own.add(value);
    return value;
  }

  /** Bounds a label that another set has given: `other` and `none` are no values, and take no place. */
  bound(label: string): string {
    return label === NONE || label === OTHER ? label : this.name(label);
  }
}
