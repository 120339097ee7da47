// The step after the job. Run with `node --test tests/shim/*.test.mjs`.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { HASH, REAL_PYTHON, Scratch, stateOf } from './scratch.mjs';

const skip = process.platform === 'win32' && 'the programs of this test are shell scripts';

function scratchWithTemp(t) {
  const scratch = new Scratch(t);
  fs.mkdirSync(scratch.path('temp'));
  return scratch;
}

// A scratch whose main step has left a file about the build cache.
async function afterMain(t) {
  const scratch = scratchWithTemp(t);
  scratch.goodPython('bin/python3');
  await scratch.start({ LEAVES_STATE: '1' });
  fs.rmSync(scratch.path('asked'));
  return scratch;
}

function post(scratch, environment = {}, whenStarted = () => {}) {
  return scratch.start({ ...stateOf(scratch), ...environment }, whenStarted, 'post');
}

describe('the state of the build cache', { concurrency: true, skip }, () => {
  it('is a file in RUNNER_TEMP with another name in each run', async (t) => {
    const scratch = scratchWithTemp(t);
    const runs = [await scratch.start({ INPUT_PYTHON: REAL_PYTHON }), await scratch.start({ INPUT_PYTHON: REAL_PYTHON })];
    const files = runs.map(({ report }) => report.environment.GO_PREFETCH_BUILD_CACHE_STATE);
    for (const file of files) {
      assert.equal(path.dirname(file), scratch.path('temp'));
      assert.match(path.basename(file), /^go-prefetch-[0-9a-f-]{36}\.json$/);
    }
    assert.notEqual(files[0], files[1]);
  });

  it('is handed on only if go-prefetch has left the file', async (t) => {
    const scratch = scratchWithTemp(t);
    await scratch.start({ INPUT_PYTHON: REAL_PYTHON });
    assert.deepEqual(stateOf(scratch), {});
    const { report } = await scratch.start({ INPUT_PYTHON: REAL_PYTHON, LEAVES_STATE: '1' });
    assert.deepEqual(stateOf(scratch), { STATE_build_cache_state: report.environment.GO_PREFETCH_BUILD_CACHE_STATE });
  });

  it('is handed on by a failed run too, and the run keeps its status', async (t) => {
    const scratch = scratchWithTemp(t);
    const { status } = await scratch.start({ INPUT_PYTHON: REAL_PYTHON, LEAVES_STATE: '1', STATUS: '3' });
    assert.equal(status, 3);
    assert.equal(Object.keys(stateOf(scratch)).length, 1);
  });
});

describe('after the job', { concurrency: true, skip }, () => {
  it('starts nothing where no state was left', async (t) => {
    const scratch = scratchWithTemp(t);
    scratch.goodPython('bin/python3');
    for (const left of ['', scratch.path('temp/gone.json')]) {
      const { status, log, errors } = await post(scratch, { STATE_build_cache_state: left, 'INPUT_BUILD-CACHE': 'true' });
      assert.deepEqual([status, log, errors], [0, '', '']);
    }
    assert.equal(scratch.read('asked'), '');
  });

  it('saves with the file of the main step and the inputs of now, and removes the file', async (t) => {
    const scratch = await afterMain(t);
    const { STATE_build_cache_state: file } = stateOf(scratch);
    const { status, report } = await post(scratch, { 'INPUT_JOB-STATUS': 'failure', ACTIONS_RUNTIME_TOKEN: 'secret' });
    assert.equal(status, 0);
    assert.deepEqual(report.argv, ['build-cache', 'save']);
    assert.equal(report.environment.GO_PREFETCH_BUILD_CACHE_STATE, file);
    assert.equal(report.environment['INPUT_JOB-STATUS'], 'failure');
    assert.equal(report.environment.ACTIONS_RUNTIME_TOKEN, 'secret');
    assert.deepEqual(scratch.list('temp'), []);
  });

  it('never fails the job, and says what failed', async (t) => {
    const scratch = await afterMain(t);
    const failed = await post(scratch, { STATUS: '70' });
    assert.equal(failed.status, 0);
    assert.match(failed.log, /^::warning .*was not saved: go-prefetch ended with status 70\.$/m);
    fs.rmSync(scratch.path('bin/python3'));
    scratch.oldPython('bin/python');
    const without = await post(scratch);
    assert.equal(without.status, 0);
    assert.match(without.log, /^::warning .*no Python 3\.10 or newer was found \(python is 3\.9\.18\)\.$/m);
  });

  it('passes a signal on, waits, and does not fail the job', async (t) => {
    const scratch = await afterMain(t);
    const { status, log } = await post(scratch, { TRAP: '1', STATUS: '130' }, (child) => child.kill('SIGINT'));
    assert.equal(status, 0);
    assert.match(log, /\[2\]\n/);
  });

  it('installs packages only if there is something to save, and leaves none behind', async (t) => {
    const scratch = await afterMain(t);
    fs.rmSync(scratch.path('action/vendored'), { recursive: true });
    scratch.write('action/src/requests.py', '');
    scratch.quickPython('bin/python3');
    await post(scratch, { STATE_build_cache_state: '' });
    assert.equal(scratch.read('asked'), '');
    const { status, report } = await post(scratch);
    assert.equal(status, 0);
    assert.match(path.relative(scratch.path('temp'), report.prefix), /^go-prefetch-[A-Za-z0-9]{6}$/);
    assert.deepEqual(scratch.list('temp'), []);
  });

  it('only warns when the packages cannot be installed', async (t) => {
    const scratch = await afterMain(t);
    fs.rmSync(scratch.path('action/vendored'), { recursive: true });
    scratch.write('action/requirements.txt', `absent==1 ${HASH}\n`);
    const { status, log } = await post(scratch, { PIP_NO_INDEX: '1' });
    assert.equal(status, 0);
    assert.match(log, /^::warning .*was not saved: The Python packages .*pip ended with status 1.*before this step\.$/m);
  });
});
