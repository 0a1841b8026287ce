import { expect } from 'chai';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';
import type { PromptRow } from '../../../lib/promptlog/insert-prompt.ts';
import { openPromptLog } from '../../../lib/promptlog/prompt-log.ts';
import type { PromptLog } from '../../../lib/promptlog/prompt-log.ts';
import { derivePromptKey, openPrompt } from '../../../lib/promptlog/seal-prompt.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { until } from '../../support/until.ts';

const SECRET = 'a secret for prompts, thirty-two bytes and more';
const NO_LONGER_THAN = { withinMs: 4_000, what: 'it to be written' };

describe('promptlog/prompt-log', () => {
  let memory: ByteBudget;
  let written: PromptRow[];
  let tries: number;
  let losses: string[];
  let failing: boolean;

  beforeEach(() => {
    memory = new ByteBudget(1_000_000, 1_000_000);
    written = [];
    tries = 0;
    losses = [];
    failing = false;
  });

  function open(): PromptLog {
    return openPromptLog({
      secret: SECRET,
      bounds: { memory, maxBytes: 100_000 },
      clock: systemClock,
      write: (row) => {
        tries += 1;
        if (failing || row.id === 'too large') return Promise.reject(new Error('no answer'));
        if (row.id === 'poison') return Promise.resolve(false);
        written.push(row);
        return Promise.resolve(true);
      },
      onLost: noteLost,
    });
  }

  function noteLost(loss: string, count: number): void {
    for (let i = 0; i < count; i += 1) losses.push(loss);
  }

  function begin(log: PromptLog, id: string): void {
    const members = Buffer.from(`"prompt":"${id}"`);
    log.begin({ id, tenantId: 'acme', keyId: 'key', endpoint: 'generate', model: 'm', members });
  }

  it('writes what has ended, sealed for its tenant, and holds nothing after', async () => {
    const log = open();
    for (const id of ['a', 'b', 'c']) {
      begin(log, id);
      log.observe(id)?.(Buffer.from(`{"response":"of ${id}"}\n`));
      log.end(id);
    }
    await until(() => written.length === 3, NO_LONGER_THAN);
    const key = derivePromptKey(SECRET, 'acme');
    const texts = written.map((row) => openPrompt(key, row, row) ?? '');
    expect(texts.map((text) => (JSON.parse(text) as { reply: unknown }).reply)).to.deep.equal(
      ['a', 'b', 'c'].map((id) => ({ content: `of ${id}`, thinking: '', tool_calls: [] })),
    );
    await until(() => memory.heldBytes === 0, NO_LONGER_THAN);
    expect(log.length).to.equal(0);
  });

  it('knows nothing of a request that it was not told of', () => {
    const log = open();
    expect(log.observe('x')).to.equal(undefined);
    log.end('x');
    expect(log.length).to.equal(0);
  });

  it('keeps nothing without a secret to seal it with, and says so', () => {
    const bare = openPromptLog({
      secret: undefined,
      bounds: { memory, maxBytes: 1 },
      clock: systemClock,
      write: () => Promise.resolve(true),
      onLost: noteLost,
    });
    begin(bare, 'a');
    expect(bare.observe('a')).to.equal(undefined);
    expect(losses).to.deep.equal(['no_key']);
    expect(bare.length).to.equal(0);
  });

  it('keeps what Postgres does not take, and writes it when it does', async () => {
    const log = open();
    failing = true;
    begin(log, 'a');
    log.end('a');
    await until(() => tries === 1, NO_LONGER_THAN);
    expect(log.length).to.equal(1);
    failing = false;
    await until(() => written.length === 1, NO_LONGER_THAN);
    expect(losses).to.deep.equal([]);
  });

  it('writes the others where one is not taken, in time or ever', async () => {
    const log = open();
    for (const id of ['too large', 'poison', 'good']) {
      begin(log, id);
      log.end(id);
    }
    await until(() => written.length === 1, NO_LONGER_THAN);
    expect(written[0]?.id).to.equal('good');
    await until(() => losses.length === 1, NO_LONGER_THAN);
    expect(losses).to.deep.equal(['unwritten']);
    expect(await log.flush(10)).to.equal(1);
    expect(memory.heldBytes).to.equal(0);
  });

  it('loses one reply that cannot be written again, and nothing else', async () => {
    const log = open();
    for (const id of ['deep', 'good']) begin(log, id);
    const calls = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    log.observe('deep')?.(Buffer.from(`{"message":{"tool_calls":[${calls}]}}\n`));
    for (const id of ['deep', 'good']) log.end(id);
    await until(() => written.length === 1, NO_LONGER_THAN);
    expect(written[0]?.id).to.equal('good');
    expect(losses).to.deep.equal(['full']);
    expect(await log.flush(100)).to.equal(0);
  });

  it('drops and counts what there is no room for', () => {
    memory = new ByteBudget(20_000, 20_000);
    const log = open();
    for (const id of ['a', 'b']) begin(log, id);
    for (const id of ['a', 'b']) log.end(id);
    expect(losses).to.deep.equal(['full']);
    expect(log.length).to.equal(1);
  });

  it('brings all of it away at the end, or says how many it could not', async () => {
    memory = new ByteBudget(10_000_000, 10_000_000);
    const log = open();
    for (let i = 0; i < 120; i += 1) {
      begin(log, String(i));
      log.end(String(i));
    }
    expect(await log.flush(3_000)).to.equal(0);
    expect(written).to.have.length(120);

    failing = true;
    begin(log, 'late');
    log.end('late');
    begin(log, 'running');
    const startedAtMs = systemClock.monotonicMs();
    expect(await log.flush(3_000)).to.equal(2);
    expect(systemClock.monotonicMs() - startedAtMs).to.be.below(1_000);
    expect(losses).to.deep.equal(['unwritten', 'unwritten']);
    expect(memory.heldBytes).to.equal(0);
  });

  it('waits no longer than it was told for a Postgres that says nothing', async () => {
    const log = openPromptLog({
      secret: SECRET,
      bounds: { memory, maxBytes: 1_000 },
      clock: systemClock,
      write: () => new Promise<boolean>(() => undefined),
      onLost: noteLost,
    });
    begin(log, 'a');
    log.end('a');
    expect(await log.flush(100)).to.equal(1);
    expect(losses).to.deep.equal(['unwritten']);
    expect(memory.heldBytes).to.equal(0);
  });
});
