// Gives Python the packages that go-prefetch imports. A release carries them in vendored/; any other checkout makes a virtual
// environment from requirements.txt, once per lock file and interpreter, and finds it again on a machine that is kept.

import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run, Stopped } from './process.mjs';
import { isUsable } from './python.mjs';
import { environmentWithoutTokens } from './runner.mjs';

const ROOT = path.dirname(import.meta.dirname);
const LOCK_FILE = path.join(ROOT, 'requirements.txt');
const PATIENCE_MS = 180_000;
const BUILD = 'import sys, sysconfig; print(sysconfig.get_platform(), sysconfig.get_config_var("EXT_SUFFIX"), sys.base_prefix)';
const WINDOWS = process.platform === 'win32';

export class NoPackages extends Error {}

// The interpreter that can import them: the given one, or that of the environment.
export async function withPackages(python) {
  if (fs.existsSync(path.join(ROOT, 'vendored'))) return python;
  const name = environmentName(python);
  const shelves = [process.env.RUNNER_TOOL_CACHE, process.env.RUNNER_TEMP].filter(Boolean);
  const environments = shelves.map((shelf) => path.join(shelf, 'go-prefetch', name));
  const ready = environments.map(pythonIn).find((candidate) => isUsable(candidate));
  return ready ?? makeEnvironment(python, environments);
}

// Compiled packages fit one build of Python only: version, architecture and C library are in its name for extension modules.
// Containers see the machine's tool cache under another path, hence the interpreter's own path.
function environmentName(python) {
  const build = execFileSync(python, ['-I', '-X', 'utf8', '-c', BUILD], { encoding: 'utf8', cwd: import.meta.dirname });
  const digest = crypto.createHash('sha256').update(fs.readFileSync(LOCK_FILE)).update(build).digest('hex');
  const [, suffix] = build.split(' ');
  return `${digest.slice(0, 16)}-${suffix.split('.')[1]}`;
}

// Built beside its final place and renamed when complete, so that neither a killed job nor two at once leave a half one in use.
async function makeEnvironment(python, environments) {
  const { folder, place } = firstWritable(environments);
  console.log(`go-prefetch: no vendored packages on this checkout; making a virtual environment in ${place} (once)`);
  try {
    await must(python, ['-I', '-m', 'venv', folder], folder);
    const pip = ['-I', '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet'];
    await must(pythonIn(folder), [...pip, '--only-binary', ':all:', '--require-hashes', '-r', LOCK_FILE], folder);
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return pythonIn(moveInto(place, folder));
}

function firstWritable(environments) {
  for (const place of environments) {
    try {
      fs.mkdirSync(path.dirname(place), { recursive: true });
      return { place, folder: fs.mkdtempSync(`${place}.`) };
    } catch {
      continue;
    }
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'go-prefetch-'));
  return { place: folder, folder };
}

async function must(program, args, cwd) {
  const options = { cwd, env: environmentWithoutTokens(), timeout: PATIENCE_MS };
  const { status, stoppedBy } = await run(program, args, options);
  if (stoppedBy) throw new Stopped(128 + os.constants.signals[stoppedBy]);
  if (status === 0) return;
  throw new NoPackages(
    `The Python packages of this checkout could not be installed (${args[2]} ended with status ${status}, its messages are above). `
      + 'A release brings its packages along and needs no such step; else put actions/setup-python before this one.',
  );
}

function moveInto(place, folder) {
  if (place === folder) return folder;
  if (!isUsable(pythonIn(place))) fs.rmSync(place, { recursive: true, force: true }); // its interpreter is gone
  try {
    fs.renameSync(folder, place);
    return place;
  } catch {
    if (!isUsable(pythonIn(place))) return folder;
    fs.rmSync(folder, { recursive: true, force: true }); // another job was first
    return place;
  }
}

function pythonIn(environment) {
  return WINDOWS ? path.join(environment, 'Scripts', 'python.exe') : path.join(environment, 'bin', 'python');
}
