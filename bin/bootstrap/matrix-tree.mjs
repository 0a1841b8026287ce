import { runHidden } from './run.mjs';

/** All that a test file's outcome may depend on. */
const TESTED = ['lib', 'workers', 'bin', ':!bin/bootstrap', 'sql', 'package-lock.json'];
const TESTING = ['test/support', 'test/fixtures'];

/**
 * What the tree is, as far as it matters to a test file: the last commit that touched any of it, so
 * that a commit of results or of words changes nothing; undefined where the tree differs from it.
 */
export async function readTestedCommit(file) {
  const paths = [...TESTED, ...TESTING, file];
  const changes = await git('status', '--porcelain', '--untracked-files=all', '--', ...paths);
  if (changes !== '') return undefined;
  return (await git('log', '-1', '--format=%H', '--', ...paths))?.slice(0, 12) || undefined;
}

/** Undefined where there is no git, or no repository. */
async function git(...args) {
  const { code, text } = await runHidden('git', args);
  return code === 0 ? text.trim() : undefined;
}
