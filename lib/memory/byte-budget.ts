/** One owner may hold a quarter, so that nobody alone keeps all others out. */
const OWNER_SHARE = 1 / 4;

/** What all holders of one kind may keep in a worker's memory together, and each owner of them. */
export class ByteBudget {
  readonly #maxBytes: number;
  readonly #maxOwnerBytes: number;
  readonly #owners = new Map<string, number>();
  #heldBytes = 0;

  /** `maxOneBytes`: one holder of this size has room in every owner's share. */
  constructor(maxBytes: number, maxOneBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxOwnerBytes = Math.max(Math.floor(maxBytes * OWNER_SHARE), maxOneBytes);
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** False, and nothing taken, if there is no room, or none for this owner. */
  take(ownerId: string, bytes: number): boolean {
    const owned = (this.#owners.get(ownerId) ?? 0) + bytes;
    if (this.#heldBytes + bytes > this.#maxBytes || owned > this.#maxOwnerBytes) return false;
    this.#heldBytes += bytes;
    this.#owners.set(ownerId, owned);
    return true;
  }

  give(ownerId: string, bytes: number): void {
    this.#heldBytes -= bytes;
    const owned = (this.#owners.get(ownerId) ?? 0) - bytes;
    if (owned > 0) this.#owners.set(ownerId, owned);
    else this.#owners.delete(ownerId);
  }
}
