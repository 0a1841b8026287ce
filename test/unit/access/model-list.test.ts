import { expect } from 'chai';
import { compileModelList, openModelLists } from '../../../lib/access/model-list.ts';

const LIBRARY = 'registry.ollama.ai/library';

describe('access/model-list', () => {
  it('takes a name without a tag for :latest alone', () => {
    const list = compileModelList(['llama3']);
    expect(list.has(`${LIBRARY}/llama3:latest`)).to.equal(true);
    expect(list.has(`${LIBRARY}/llama3:8b`)).to.equal(false);
  });

  it('takes name:* for every tag of that model, and of no other', () => {
    const list = compileModelList([' LLAMA3:* ', 'me/x:*', 'h:1/n/y:*']);
    expect(list.has(`${LIBRARY}/llama3:latest`)).to.equal(true);
    expect(list.has(`${LIBRARY}/llama3:8b`)).to.equal(true);
    expect(list.has(`${LIBRARY}/llama3.1:8b`)).to.equal(false);
    expect(list.has('me/llama3:8b')).to.equal(false);
    expect(list.has('registry.ollama.ai/me/x:1')).to.equal(true);
    expect(list.has('h:1/n/y:1')).to.equal(true);
  });

  it('matches names in any spelling, because operators write them by hand', () => {
    const list = compileModelList(['Library/LLaMA3:8B', 'qwen3:local']);
    expect(list.has(`${LIBRARY}/llama3:8b`)).to.equal(true);
    expect(list.has(`${LIBRARY}/qwen3:latest`)).to.equal(true);
  });

  it('matches nothing by what is no name, because default is to deny', () => {
    const names = ['', '*', ':*', '*:*', '/*', 'x:8b:*', 'x:cloud:*', 'x :*', 'x/:*', 'x*', 'x:8*'];
    const list = compileModelList(names);
    for (const tag of ['latest', '8b', '8', 'cloud']) {
      expect(list.has(`${LIBRARY}/x:${tag}`)).to.equal(false);
    }
  });

  it('gives the list that it has as long as the names are the same', () => {
    const lists = openModelLists(100);
    const first = lists.read('key:1', ['a', 'b']);
    expect(lists.read('key:1', ['a', 'b'])).to.equal(first);
    expect(lists.read('key:2', ['a', 'b'])).not.to.equal(first);
  });

  it('reads anew when the names differ, even if nobody says so', () => {
    const lists = openModelLists(100);
    const names = ['a', 'b'];
    expect(lists.read('key:1', names)).to.equal(lists.read('key:1', names));
    expect(lists.read('key:1', ['a', 'c']).has(`${LIBRARY}/b:latest`)).to.equal(false);
    expect(lists.read('key:1', ['a']).has(`${LIBRARY}/c:latest`)).to.equal(false);
    expect(lists.read('key:1', ['b']).has(`${LIBRARY}/b:latest`)).to.equal(true);
  });

  it('forgets the oldest beyond its bound, and stays right', () => {
    const lists = openModelLists(4);
    const first = lists.read('key:1', ['a']);
    lists.read('key:2', ['b', 'c']);
    const again = lists.read('key:1', ['a']);
    expect(again).not.to.equal(first);
    expect(again.has(`${LIBRARY}/a:latest`)).to.equal(true);
    expect(lists.read('key:3', ['a', 'b', 'c', 'd', 'e']).has(`${LIBRARY}/e:latest`)).to.equal(
      true,
    );
  });
});
