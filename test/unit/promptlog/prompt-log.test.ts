import { expect } from 'chai';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';
import type { PromptRow } from '../../../lib/promptlog/insert-prompts.ts';
import { openPromptLog } from '../../../lib/promptlog/prompt-log.ts';
import type { PromptLog } from '../../../lib/promptlog/prompt-log.ts';
import { derivePromptKey, openPrompt } from '../../../lib/promptlog/seal-prompt.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { until } from '../../support/until.ts';

const SECRET = 'a secret for prompts, thirty-two bytes and more';
const NO_LONGER_THAN = { withinMs: 4_000, what: 'the batch to be written' };

describe('promptlog/prompt-log', () => {
  let memory: ByteBudget;
  let written: PromptRow[];
  let batches: number;
  let losses: string[];
  let failing: boolean;

  beforeEach(() => {
    memory = new ByteBudget(1_000_000, 1_000_000);
    written = [];
    batches = 0;
    losses = [];
    failing = false;
  });

  function open(): PromptLog {
    return openPromptLog({
      secret: SECRET,
      bounds: { memory, maxBytes: 100_000 },
      clock: systemClock,
      write: (rows) => {
        batches += 1;
        if (failing) return Promise.reject(new Error('Postgres is away'));
        written.push(...rows);
        return Promise.resolve();
      },
      onLost: (loss) => {
        losses.push(loss);
      },
    });
  }

  function begin(log: PromptLog, id: string): void {
    const members = Buffer.from(`"prompt":"${id}"`);
    log.begin({ id, tenantId: 'acme', keyId: 'key', endpoint: 'generate', model: 'm', members });
  }

  it('writes what has ended, together, sealed for its tenant, and holds nothing after', async () => {
    const log = open();
    for (const id of ['a', 'b', 'c']) {
      begin(log, id);
      log.observe(id)?.(Buffer.from(`{"response":"of ${id}"}\n`));
      log.end(id);
    }
    await until(() => written.length === 3, NO_LONGER_THAN);
    expect(batches).to.equal(1);
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
      write: () => Promise.resolve(),
      onLost: (loss) => {
        losses.push(loss);
      },
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
    await until(() => batches === 1, NO_LONGER_THAN);
    expect(log.length).to.equal(1);
    failing = false;
    await until(() => written.length === 1, NO_LONGER_THAN);
    expect(losses).to.deep.equal([]);
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
    const startedAtMs = systemClock.monotonicMs();
    expect(await log.flush(3_000)).to.equal(1);
    expect(systemClock.monotonicMs() - startedAtMs).to.be.below(1_000);
    expect(losses.filter((loss) => loss === 'unwritten')).to.have.length(1);
  });

  it('waits no longer than it was told for a Postgres that says nothing', async () => {
    const log = openPromptLog({
      secret: SECRET,
      bounds: { memory, maxBytes: 1_000 },
      clock: systemClock,
      write: () => new Promise(() => undefined),
      onLost: (loss) => {
        losses.push(loss);
      },
    });
    begin(log, 'a');
    log.end('a');
    expect(await log.flush(100)).to.equal(1);
    expect(losses).to.deep.equal(['unwritten']);
    expect(memory.heldBytes).to.equal(0);
  });
});
