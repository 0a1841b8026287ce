import { expect } from 'chai';
import { rollWorkers } from '../../../lib/cluster/roll.ts';
import type { Crew, OnTrial, RollEnd } from '../../../lib/cluster/roll.ts';
import { loadSettings } from '../../../lib/config/load-settings.ts';
import type { SettingsInForce } from '../../../lib/config/load-settings.ts';

interface Hand extends OnTrial {
  readonly name: string;
  readonly settings: SettingsInForce;
}

function makeSettings(): SettingsInForce {
  const { settings, texts } = loadSettings({
    DATABASE_URL: 'postgresql:///gateway',
    REDIS_URL: 'unix:///run/redis.sock',
    OLLAMA_URL: 'http://127.0.0.1:11434',
    NZGW_KEY_PEPPER: 'p'.repeat(32),
    NZGW_DRAIN_SECONDS: '9',
  });
  return { settings, texts };
}

/** Workers that are only names, and what a roll does with them. */
class Hands implements Crew<Hand> {
  readonly events: string[] = [];
  readonly stop = new AbortController();
  readonly next = makeSettings();
  /** Whether the n-th new one comes up. */
  comesUp: (n: number) => boolean | undefined = () => true;
  /** Whether the n-th can be started at all. */
  canStart: (n: number) => boolean = () => true;
  outdated: string[];
  #forked = 0;

  constructor(...outdated: string[]) {
    this.outdated = outdated;
  }

  roll(): Promise<RollEnd> {
    return rollWorkers<Hand>({
      crew: this,
      settings: this.next,
      trialMs: 20,
      onRetire: ({ name }) => this.events.push(`unheard ${name}`),
      stop: this.stop.signal,
    });
  }

  hasOutdated(): boolean {
    return this.outdated.length > 0;
  }

  adopt(): void {
    this.events.push('adopt');
  }

  forkOnTrial(settings: SettingsInForce): Hand | undefined {
    this.#forked += 1;
    if (!this.canStart(this.#forked)) return undefined;
    const listens = Promise.withResolvers<boolean>();
    const comesUp = this.comesUp(this.#forked);
    if (comesUp !== undefined) listens.resolve(comesUp);
    this.events.push(`fork ${this.#forked}`);
    return { name: String(this.#forked), settings, listens };
  }

  takeOver({ name, settings }: Hand): Hand | undefined {
    const old = this.outdated.shift();
    this.events.push(`${name} takes over`);
    return old === undefined
      ? undefined
      : { name: old, settings, listens: Promise.withResolvers<boolean>() };
  }

  async retire({ name }: Hand, graceMs: number): Promise<void> {
    await Promise.resolve();
    this.events.push(`${name} ended after ${graceMs}`);
  }

  discard({ name }: Hand): void {
    this.events.push(`discard ${name}`);
  }
}

describe('cluster/roll', () => {
  it('begins the next only when the one before has ended', async () => {
    const hands = new Hands('a', 'b');
    expect(await hands.roll()).to.equal('done');
    expect(hands.events).to.deep.equal([
      ...['fork 1', '1 takes over', 'unheard a', 'a ended after 9000'],
      ...['fork 2', '2 takes over', 'unheard b', 'b ended after 9000'],
    ]);
  });

  it('leaves all as it was if the first does not come up', async () => {
    const hands = new Hands('a', 'b');
    hands.comesUp = () => false;
    expect(await hands.roll()).to.equal('failed');
    expect(hands.events).to.deep.equal(['fork 1', 'discard 1']);
  });

  it('is over where a new one cannot even be started', async () => {
    const first = new Hands('a', 'b');
    first.canStart = () => false;
    expect(await first.roll()).to.equal('failed');
    expect(first.events).to.deep.equal([]);
    const second = new Hands('a', 'b');
    second.canStart = (n) => n === 1;
    expect(await second.roll()).to.equal('halted');
    expect(second.events.slice(4)).to.deep.equal([]);
  });

  it('stops where a later one does not come up in time', async () => {
    const hands = new Hands('a', 'b');
    hands.comesUp = (n) => (n === 1 ? true : undefined);
    expect(await hands.roll()).to.equal('halted');
    expect(hands.events.slice(4)).to.deep.equal(['fork 2', 'discard 2']);
  });

  it('has nobody to end where the old one has died meanwhile', async () => {
    const hands = new Hands('a');
    hands.comesUp = () => {
      hands.outdated = [];
      return true;
    };
    expect(await hands.roll()).to.equal('done');
    expect(hands.events).to.deep.equal(['fork 1', '1 takes over']);
  });

  it('gives the settings to those that are about to be started, if there are no others', async () => {
    const hands = new Hands();
    expect(await hands.roll()).to.equal('done');
    expect(hands.events).to.deep.equal(['adopt']);
  });

  it('ends with the gateway, before and after it waited', async () => {
    const late = new Hands('a');
    late.comesUp = () => {
      late.stop.abort();
      return false;
    };
    expect(await late.roll()).to.equal('stopped');
    expect(late.events).to.deep.equal(['fork 1']);
    const early = new Hands('a');
    early.stop.abort();
    expect(await early.roll()).to.equal('stopped');
    expect(early.events).to.deep.equal([]);
  });
});
