import { expect } from 'chai';
import { askRedis, NoAnswerError } from '../../../lib/shards/ask-redis.ts';

const never = (): Promise<never> => Promise.withResolvers<never>().promise;

describe('shards/ask-redis', function () {
  this.timeout(10_000);

  it('gives what Redis answers, without a beat where that is at once', async () => {
    let beats = 0;
    const beat = (): Promise<void> => {
      beats += 1;
      return Promise.resolve();
    };
    expect(await askRedis(Promise.resolve(7), beat)).to.equal(7);
    expect(beats).to.equal(0);
  });

  it('beats while it waits, and waits for two seconds', async () => {
    let beats = 0;
    const beat = (): Promise<void> => {
      beats += 1;
      return Promise.resolve();
    };
    const outcome = await askRedis(never(), beat).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(NoAnswerError);
    expect(beats).to.equal(3);
  });

  it('tells a refusal by its cause', async () => {
    const cause = new Error('no');
    const outcome = await askRedis(Promise.reject(cause), never).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(NoAnswerError).with.property('cause', cause);
  });

  it('fails as the beat does: the session is lost then', async () => {
    const lost = new Error('session');
    const asked = Promise.withResolvers<never>();
    const outcome = await askRedis(asked.promise, () => Promise.reject(lost)).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.equal(lost);
    asked.reject(new Error('late, and nobody listens'));
  });
});
