// After the job's last step: saves the build cache, if main.mjs has left a file about it. Otherwise nothing is started or
// installed. It never fails the job.
//
// The runner evaluates the inputs and their defaults again for this step, so job-status is that of the whole job.

import fs from 'node:fs';
import { Stopped } from './process.mjs';
import { annotate, input, state, STATE_FILE } from './runner.mjs';
import { findPython } from './python.mjs';
import { withPackages } from './packages.mjs';
import { start } from './start.mjs';

async function save(stateFile) {
  const { python, tried } = findPython(input('python'));
  if (!python) throw new Error(`no Python 3.10 or newer was found (${tried || 'nothing on PATH'})`);
  const status = await withPackages(python, (interpreter) => start(interpreter, ['build-cache', 'save'], stateFile));
  if (status !== 0) throw new Error(`go-prefetch ended with status ${status}`);
}

const stateFile = state(STATE_FILE);
if (stateFile && fs.existsSync(stateFile)) {
  try {
    await save(stateFile);
    fs.rmSync(stateFile);
  } catch (error) {
    if (!(error instanceof Stopped)) annotate('warning', `The build cache was not saved: ${error.message.replace(/\.$/, '')}.`);
  }
}
