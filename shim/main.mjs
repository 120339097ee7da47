// The action's entry: finds Python, starts go-prefetch with it, and ends with its status.
// It is JavaScript because the runner hands the cache token to JavaScript actions only; all logic is Python.

import path from 'node:path';
import { plainGo } from './plaingo.mjs';
import { run, Stopped } from './process.mjs';
import { annotate, asCode, input, summarize, workspace } from './runner.mjs';
import { findPython } from './python.mjs';
import { NoPackages, withPackages } from './packages.mjs';

const LAUNCHER = path.join(import.meta.dirname, 'launch.py');

async function main() {
  const { python, tried } = findPython(input('python'));
  if (!python && input('python')) {
    return failed(`The input "python" is not usable: ${tried}. Name a Python 3.10 or newer, or leave the input out.`, 2);
  }
  if (!python) {
    return plainGo(
      `No Python 3.10 or newer was found (${tried || 'nothing on PATH'}). Put actions/setup-python before this step, `
        + 'or install Python in the image of the job (on alpine: apk add python3).',
    );
  }
  try {
    return await withPackages(python, start);
  } catch (error) {
    if (error instanceof NoPackages) return plainGo(error.message);
    throw error;
  }
}

// -I: nothing in the user's repository, PYTHONPATH or user site is imported. -u: our lines and those of go stay in order.
// -X utf8: with -I, PYTHONUTF8 is not read, and Windows would write another encoding into the log.
async function start(python) {
  const { status } = await run(python, ['-I', '-u', '-X', 'utf8', LAUNCHER, 'run'], { cwd: workspace() });
  return status;
}

function failed(message, status) {
  annotate('error', message);
  summarize('**go-prefetch: failed**', `- ${asCode(message)}`);
  return status;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isStopped = error instanceof Stopped;
  process.exitCode = isStopped ? error.status : failed(`go-prefetch could not be started: ${error.message}`, 1);
}
