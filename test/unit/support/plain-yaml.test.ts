import { expect } from 'chai';
import { readPlainYaml } from '../../support/plain-yaml.ts';

describe('support/plain-yaml', () => {
  it('reads blocks, lists and texts as compose files have them', () => {
    const text = [
      '# a comment',
      'services:',
      '  web: # another',
      '    ports:',
      "      - '80:80'",
      '    command: ["a", "b c", d]',
      '    url: http://web:80/#top',
      '    note: "with # in it"',
      'networks:',
      '  edge:',
      '  front:',
      '    config:',
      '      - subnet: ${NET:-10.0.0.0/8}',
      '        gateway: 10.0.0.1',
      '      - subnet: 11.0.0.0/8',
      'last: []',
    ].join('\n');
    expect(readPlainYaml(text)).to.deep.equal({
      services: {
        web: {
          ports: ['80:80'],
          command: ['a', 'b c', 'd'],
          url: 'http://web:80/#top',
          note: 'with # in it',
        },
      },
      networks: {
        edge: '',
        front: {
          config: [{ subnet: '${NET:-10.0.0.0/8}', gateway: '10.0.0.1' }, { subnet: '11.0.0.0/8' }],
        },
      },
      last: [],
    });
  });

  for (const [what, text] of [
    ['an anchor', 'a: &x\n  b: c'],
    ['an alias', 'a: *x'],
    ['a merge', 'a:\n  <<: *x'],
    ['a folded text', 'a: >\n  b'],
    ['an inline block', 'a: {b: c}'],
    ['a key twice', 'a: b\na: c'],
    ['a tab', 'a:\n\tb: c'],
    ['a quoted key', '"ports": b'],
    ['a text over two lines', 'a: b\n  c'],
    ['an open list', 'a: [b,\n  c]'],
    ['a list inside a list', 'a:\n  - - b'],
    ['a second key in one line', 'a: b: c'],
    ['an indentation from nowhere', '  a: b\n c: d'],
    ['an escape', 'a: "\\x41"'],
    ['a second document', 'a: b\n---\nc: d'],
  ] as const) {
    it(`refuses ${what}, which it would read wrongly`, () => {
      expect(() => readPlainYaml(text)).to.throw(/^line \d+ /);
    });
  }
});
