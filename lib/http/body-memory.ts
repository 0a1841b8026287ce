/** One owner may hold a quarter of the memory, so that nobody alone keeps all others out. */
const OWNER_SHARE = 1 / 4;

/** What all request bodies of one worker may hold together (SPEC §2.1: NZGW_BODY_MEMORY_BYTES). */
export class BodyMemory {
  readonly #maxBytes: number;
  readonly #maxOwnerBytes: number;
  readonly #owners = new Map<string, number>();
  #heldBytes = 0;

  /** `maxBodyBytes`: one body of this size has room in every owner's share. */
  constructor(maxBytes: number, maxBodyBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxOwnerBytes = Math.max(Math.floor(maxBytes * OWNER_SHARE), maxBodyBytes);
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** For one body. `ownerId`: whose share it is part of; null: of nobody's. */
  reserve(ownerId: string | null): Reservation {
    return new Reservation((bytes) => this.#add(ownerId, bytes));
  }

  /** False, and nothing changed, if there is no room; less than nothing gives back. */
  #add(ownerId: string | null, bytes: number): boolean {
    if (bytes > 0 && this.#heldBytes + bytes > this.#maxBytes) return false;
    if (ownerId !== null && !this.#addToOwner(ownerId, bytes)) return false;
    this.#heldBytes += bytes;
    return true;
  }

  #addToOwner(ownerId: string, bytes: number): boolean {
    const held = (this.#owners.get(ownerId) ?? 0) + bytes;
    if (bytes > 0 && held > this.#maxOwnerBytes) return false;
    if (held === 0) this.#owners.delete(ownerId);
    else this.#owners.set(ownerId, held);
    return true;
  }
}

/** What one body takes of the worker's memory. */
export class Reservation {
  readonly #add: (bytes: number) => boolean;
  #bytes = 0;
  #over = false;

  constructor(add: (bytes: number) => boolean) {
    this.#add = add;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Grows or shrinks. False, and nothing changed, if there is no room or it was released. */
  resize(bytes: number): boolean {
    if (this.#over || !this.#add(bytes - this.#bytes)) return false;
    this.#bytes = bytes;
    return true;
  }

  /** Gives everything back, for good. */
  release(): void {
    this.resize(0);
    this.#over = true;
  }
}
