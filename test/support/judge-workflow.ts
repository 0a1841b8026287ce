/** One job of a workflow: its name and its lines. */
interface Job {
  readonly name: string;
  readonly lines: readonly string[];
}

const PIN = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v?\d+\.\d+\.\d+$/;
/** May be written to, and by which job. */
const WRITES: ReadonlySet<string> = new Set(['image packages', 'publish contents']);
const TRIGGERS: ReadonlySet<string> = new Set(['push', 'pull_request', 'schedule']);
/** As the value of a permission, however it is written: `write`, `"write"`, `{ contents: write }`. */
const MAY_WRITE = /(?:^|[\s{,:"'])write(?:$|[\s},"'])/;

/**
 * What is wrong with a workflow of GitHub Actions, one line each. It reads lines, not YAML: jobs are
 * indented by two, as prettier leaves them.
 */
export function judgeWorkflow(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  const faults = [
    ...judgeWhole(lines),
    ...judgeTriggers(lines),
    ...judgeActions(lines),
    ...judgeCommands(lines),
  ];
  const jobs = readJobs(lines);
  if (jobs.length === 0) faults.push('there are no jobs');
  for (const job of jobs) faults.push(...judgeJob(job));
  return faults;
}

function judgeWhole(lines: readonly string[]): readonly string[] {
  const faults: string[] = [];
  const text = lines.join('\n');
  // These run with the rights of the repository on what a stranger sent.
  if (/\b(pull_request_target|workflow_run)\b/.test(text)) faults.push('runs for strangers');
  if (!/^permissions:( \{\}|\n {2}contents: read)$/m.test(text)) {
    faults.push('permissions of the whole are not {} or contents: read');
  }
  if (!/^concurrency:$/m.test(text)) faults.push('concurrency is not bounded');
  if (/write-all|read-all/.test(text)) faults.push('permissions for everything');
  for (const [, expression = ''] of text.matchAll(/\$\{\{([^}]*)\}\}/g)) {
    const takes = /\bsecrets\b/.test(expression) && expression.trim() !== 'secrets.GITHUB_TOKEN';
    if (takes) faults.push(`takes a secret: ${expression}`);
  }
  return faults;
}

/** What may write takes nothing from a pull request, nor from a cache that one of main's packages filled. */
function judgeTriggers(lines: readonly string[]): readonly string[] {
  const faults: string[] = [];
  const after = lines.slice(lines.indexOf('on:') + 1);
  const end = after.findIndex((line) => /^\S/.test(line));
  const triggers = after
    .slice(0, end)
    .flatMap((line) => /^ {2}([\w-]+):/.exec(line)?.slice(1) ?? []);
  if (!lines.includes('on:') || triggers.length === 0) faults.push('triggers cannot be read');
  for (const trigger of triggers) {
    if (!TRIGGERS.has(trigger)) faults.push(`is started by ${trigger}`);
  }
  if (!lines.some((line) => MAY_WRITE.test(line))) return faults;
  if (triggers.includes('pull_request')) faults.push('writes for a pull request');
  const isCache = (line: string): boolean =>
    /\b(?:cache:|cache-|actions\/cache)/.test(line) && !line.endsWith('cache-binary: false');
  faults.push(...lines.filter(isCache).map((line) => `a release from a cache: ${line.trim()}`));
  return faults;
}

function judgeActions(lines: readonly string[]): readonly string[] {
  const faults: string[] = [];
  for (const [index, line] of lines.entries()) {
    const used = /^\s*(?:- )?["']?uses["']?:\s*(.*)$/.exec(line)?.[1];
    if (used === undefined) continue;
    if (!PIN.test(used)) faults.push(`not pinned: ${used}`);
    const after = lines.slice(index + 1, index + 4).join('\n');
    if (used.startsWith('actions/checkout@') && !/persist-credentials: false$/m.test(after)) {
      faults.push('a checkout leaves its token in the tree');
    }
  }
  return faults;
}

/** What GitHub puts into a command line there, a stranger may have written: it goes by `env`. */
function judgeCommands(lines: readonly string[]): readonly string[] {
  const faults: string[] = [];
  let runIndent: number | null = null;
  for (const line of lines) {
    const indent = line.search(/\S/);
    if (runIndent !== null && indent !== -1 && indent <= runIndent) runIndent = null;
    const start = /^(\s*(?:- )?)["']?run["']?:/.exec(line);
    if (start) runIndent = start[1]?.length ?? 0;
    if (runIndent !== null) faults.push(...judgeCommand(line));
    if (/\$\{\{[^}]*github\.event\b/.test(line)) faults.push(`takes an event: ${line.trim()}`);
  }
  return faults;
}

function judgeCommand(line: string): readonly string[] {
  const faults: string[] = [];
  if (line.includes('${{')) faults.push(`in a command: ${line.trim()}`);
  if (/\b(curl|wget)\b/.test(line)) faults.push('runs what it fetches');
  return faults;
}

function judgeJob({ name, lines }: Job): readonly string[] {
  const faults: string[] = [];
  const text = lines.join('\n');
  const minutes = Number(/^ {4}timeout-minutes: (\d+)$/m.exec(text)?.[1] ?? NaN);
  if (!(minutes <= 60)) faults.push(`${name}: no end within an hour`);
  if (!/^ {4}runs-on: ubuntu-\d\d\.\d\d$/m.test(text)) faults.push(`${name}: on some machine`);
  for (const line of lines.filter((text) => MAY_WRITE.test(text))) {
    const what = /^ {6}([a-z-]+): write$/.exec(line)?.[1] ?? line.trim();
    if (!WRITES.has(`${name} ${what}`)) faults.push(`${name}: may write ${what}`);
  }
  return faults;
}

function readJobs(lines: readonly string[]): readonly Job[] {
  const jobs: { name: string; lines: string[] }[] = [];
  for (const line of lines.slice(lines.indexOf('jobs:') + 1)) {
    const name = /^ {2}([\w-]+):$/.exec(line)?.[1];
    if (name !== undefined) jobs.push({ name, lines: [] });
    else jobs.at(-1)?.lines.push(line);
  }
  return jobs;
}
