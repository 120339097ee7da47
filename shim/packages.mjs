// Gives Python the packages that go-prefetch imports. A release carries them in vendored/. Any other checkout gets a new virtual
// environment from requirements.txt for each run, in a folder with an unpredictable name that is removed when the run ends.
// Nothing that lies on the machine already is run: jobs of a self-hosted runner share one user and one tool cache, so an
// environment that is found there could have been made by any of them.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run, Stopped } from './process.mjs';
import { environmentWithoutTokens } from './runner.mjs';

export const ROOT = path.dirname(import.meta.dirname);
const LOCK_FILE = path.join(ROOT, 'requirements.txt');
const PATIENCE_MS = 180_000;
const WINDOWS = process.platform === 'win32';

export class NoPackages extends Error {}

// Calls `use` with an interpreter that can import them: the given one, or that of the new environment.
export async function withPackages(python, use) {
  if (fs.existsSync(path.join(ROOT, 'vendored'))) return use(python);
  return withFolder(async (folder) => {
    await install(python, folder);
    return use(pythonIn(folder));
  });
}

// Calls `use` with a new folder, which is removed afterwards.
export async function withFolder(use) {
  const folder = newFolder();
  try {
    return await use(folder);
  } finally {
    remove(folder);
  }
}

// The runner empties RUNNER_TEMP before and after each job.
function newFolder() {
  const parent = process.env.RUNNER_TEMP || os.tmpdir();
  try {
    return fs.mkdtempSync(path.join(parent, 'go-prefetch-'));
  } catch (error) {
    throw new NoPackages(`The Python packages of this checkout need a folder in ${parent}, which cannot be written (${error.code}).`);
  }
}

async function install(python, folder) {
  console.log(`go-prefetch: this checkout has no vendored packages, so they are installed in ${folder}`);
  await must(python, ['-I', '-m', 'venv', folder], folder);
  await installed(pythonIn(folder), LOCK_FILE, folder);
}

// Install what a lock file has, by its hashes.
export function installed(python, lockFile, cwd, ...options) {
  const pip = ['-I', '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet', ...options];
  return must(python, [...pip, '--only-binary', ':all:', '--require-hashes', '-r', lockFile], cwd);
}

async function must(program, args, cwd) {
  const options = { cwd, env: environmentWithoutTokens(), timeout: PATIENCE_MS };
  const { status, stoppedBy } = await run(program, args, options);
  if (stoppedBy) throw new Stopped(128 + os.constants.signals[stoppedBy]);
  if (status === 0) return;
  throw new NoPackages(
    `The Python packages of this checkout could not be installed (${args[2]} ended with status ${status}, see the log). `
      + 'A release brings its packages along. Use one, or put actions/setup-python before this step.',
  );
}

function pythonIn(environment) {
  return WINDOWS ? path.join(environment, 'Scripts', 'python.exe') : path.join(environment, 'bin', 'python');
}

// What cannot be removed (a file in use on Windows) is left to the runner.
function remove(folder) {
  try {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    console.log(`go-prefetch: ${folder} is left behind (${error.code})`);
  }
}
