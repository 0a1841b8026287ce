import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ROOT } from './paths.mjs';

const PARENT_LOOK_MS = 500;
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/**
 * Runs a command and gathers what it says, both streams together. Resolves to its exit code (128 +
 * signal when one ended it) and the text; the last 4 MiB of it.
 */
export function runHidden(command, args, { env = process.env, cwd = ROOT } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const gather = (chunk) => (text = (text + chunk).slice(-4_194_304));
    child.stdout.setEncoding('utf8').on('data', gather);
    child.stderr.setEncoding('utf8').on('data', gather);
    const stopPassing = passSignalsTo(child);
    child.on('error', (error) => {
      stopPassing();
      resolve({ code: 127, text: `${command}: ${error.message}\n` });
    });
    child.on('close', (code, signal) => {
      stopPassing();
      resolve({ code: toExitCode(code, signal), text });
    });
  });
}

/**
 * Goes on as another command: the terminal is its, signals are passed on, its exit code is ours.
 * The IPC channel tells it when this process is gone without a word (kill -9).
 */
export function becomeCommand(command, args, { env = process.env } = {}) {
  const child = spawn(command, args, {
    cwd: ROOT,
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  passSignalsTo(child);
  endWithParent(child);
  child.on('error', (error) => {
    process.stderr.write(`${command}: ${error.message}\n`);
    process.exit(127);
  });
  child.on('exit', (code, signal) => process.exit(toExitCode(code, signal)));
}

/** Passes the signals that ask to end on to the child. Returns what stops that. */
function passSignalsTo(child) {
  const handlers = PASSED_ON.map((signal) => [signal, () => child.kill(signal)]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/** npm that is told to end goes without a word to what it runs, which nobody would end then. */
function endWithParent(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, PARENT_LOOK_MS);
  watch.unref();
}

function toExitCode(code, signal) {
  return signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0);
}
