// The action's entry: finds Python, starts go-prefetch with it, and ends with its status.
// It is JavaScript because the runner hands the cache token to JavaScript actions only; all logic is Python.

import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { plainGo } from './plaingo.mjs';
import { Stopped } from './process.mjs';
import { annotate, asCode, input, saveState, STATE_FILE, summarize } from './runner.mjs';
import { findPython } from './python.mjs';
import { NoPackages, withPackages } from './packages.mjs';
import { start } from './start.mjs';

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
    return await withPackages(python, prefetch);
  } catch (error) {
    if (error instanceof NoPackages) return plainGo(error.message);
    throw error;
  }
}

// A run that restored the build cache, or looked for one, leaves a file for post.mjs. Its name is unpredictable, so it cannot
// be there before.
async function prefetch(python) {
  const stateFile = path.join(process.env.RUNNER_TEMP || os.tmpdir(), `go-prefetch-${crypto.randomUUID()}.json`);
  const status = await start(python, ['run'], stateFile);
  if (fs.existsSync(stateFile)) saveState(STATE_FILE, stateFile);
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
