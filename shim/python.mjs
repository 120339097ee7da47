// Finds a Python that is new enough. Each candidate is run, because its name says little: Windows has a `python` that only
// opens its store, RHEL 9 a `python3` that is 3.9, and version managers have scripts that may lead nowhere.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { workspace } from './runner.mjs';

const OLDEST_MINOR = 10;
const PATIENCE_MS = 10_000;
const QUESTION = 'import sys; print("%d.%d.%d" % sys.version_info[:3], sys.executable)';
// `python` and `py` of Python's install manager download a Python where there is none, unless they are told not to.
const INSTALLS_NOTHING = { PYTHON_MANAGER_AUTOMATIC_INSTALL: 'false' };
const WINDOWS = process.platform === 'win32';

// The interpreter's own path, or else what was tried and why it would not do.
export function findPython(wanted) {
  const complaints = [];
  for (const command of wanted ? [named(wanted)] : candidates()) {
    const answer = ask(command);
    if (answer.python) return answer;
    if (answer.complaint) complaints.push(`${command.join(' ')} ${answer.complaint}`);
  }
  return { tried: complaints.join(', ') || (wanted && `${wanted} was not found`) };
}

function named(wanted) {
  return [/[\\/]/.test(wanted) ? path.resolve(workspace(), wanted) : wanted];
}

function* candidates() {
  const { pythonLocation, RUNNER_TOOL_CACHE } = process.env;
  if (pythonLocation) yield [WINDOWS ? path.join(pythonLocation, 'python.exe') : path.join(pythonLocation, 'bin', 'python')];
  yield ['python3'];
  yield ['python'];
  if (WINDOWS) yield ['py', '-3'];
  if (RUNNER_TOOL_CACHE) yield* toolCache(path.join(RUNNER_TOOL_CACHE, 'Python'));
}

// RUNNER_TOOL_CACHE/Python/3.13.5/x64/bin/python3, newest first. These interpreters are trusted, like the programs on PATH:
// setup-python and every other action run what they find there. Whoever can write the tool cache can run programs in this job.
function* toolCache(folder) {
  const newestFirst = new Intl.Collator('en', { numeric: true });
  for (const version of entries(folder).sort((a, b) => newestFirst.compare(b, a))) {
    for (const architecture of entries(path.join(folder, version))) {
      const home = path.join(folder, version, architecture);
      const python = WINDOWS ? path.join(home, 'python.exe') : path.join(home, 'bin', 'python3');
      if (fs.existsSync(python)) yield [python];
    }
  }
}

function entries(folder) {
  try {
    return fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}

// Asked from our own folder: Windows looks for programs in the current one first, and that may be the user's repository.
function ask([program, ...args]) {
  const { error, status, stdout } = spawnSync(program, [...args, '-I', '-S', '-X', 'utf8', '-c', QUESTION], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    env: { ...process.env, ...INSTALLS_NOTHING },
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PATIENCE_MS,
    windowsHide: true,
  });
  if (error?.code === 'ENOENT') return {};
  if (error) return { complaint: `does not run (${error.code})` };
  const [, version, minor, executable] = /^(3\.(\d+)\.\d+) (.*?)\r?\n$/.exec(stdout) ?? [];
  if (status !== 0 || !version) return { complaint: `is no Python 3 (exit status ${status})` };
  return Number(minor) >= OLDEST_MINOR ? { python: executable || program } : { complaint: `is ${version}` };
}
