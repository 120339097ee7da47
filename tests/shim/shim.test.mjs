// Run with `node --test tests/shim/*.test.mjs`. Real processes, no network: Pythons and go are scripts on a scratch PATH.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { HASH, REAL_PYTHON, Scratch } from './scratch.mjs';

const skip = process.platform === 'win32' && 'the programs of this test are shell scripts';
const TOKENS = {
  ACTIONS_RUNTIME_TOKEN: 'secret', ACTIONS_RUNTIME_URL: 'secret', ACTIONS_RESULTS_URL: 'secret', ACTIONS_CACHE_URL: 'secret',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret', ACTIONS_ID_TOKEN_REQUEST_URL: 'secret',
};

describe('starting go_prefetch', { concurrency: true }, () => {
  it('passes the environment on unchanged, hyphens included, and nothing in arguments', async (t) => {
    const scratch = new Scratch(t);
    const given = { ...TOKENS, 'INPUT_WORKING-DIRECTORY': 'a\nb', GITHUB_TOKEN: 'secret', INPUT_PYTHON: REAL_PYTHON };
    const { status, report } = await scratch.start(given);
    assert.equal(status, 0);
    assert.deepEqual(report.argv, ['run']);
    for (const [name, value] of Object.entries(given)) assert.equal(report.environment[name], value);
    assert.ok(!report.command_line.join(' ').includes('secret'));
    assert.equal(fs.realpathSync(report.cwd), scratch.path('workspace'));
    assert.equal(report.utf8, 1);
  });

  it('imports nothing from the repository or PYTHONPATH, and packages from vendored/', async (t) => {
    const scratch = new Scratch(t);
    for (const module of ['argparse', 'requests', 'runpy', 'sitecustomize', 'go_prefetch/__main__']) {
      scratch.write(`workspace/${module}.py`, 'raise SystemExit("imported from the repository")');
    }
    const { status, report } = await scratch.start({ PYTHONPATH: scratch.path('workspace'), INPUT_PYTHON: REAL_PYTHON });
    assert.equal(status, 0);
    assert.ok(!report.argparse.startsWith(scratch.folder));
    assert.equal(report.requests, scratch.path(path.join('action', 'vendored', 'requests.py')));
  });

  it('ends with the status of Python', async (t) => {
    const { status } = await new Scratch(t).start({ STATUS: '5', INPUT_PYTHON: REAL_PYTHON });
    assert.equal(status, 5);
  });

  for (const [signal, number] of [['SIGTERM', 15], ['SIGINT', 2]]) {
    it(`passes ${signal} on once and waits for the clean-up`, { skip }, async (t) => {
      const sendTwice = (child) => [0, 100].forEach((wait) => setTimeout(() => child.kill(signal), wait));
      const { status, log } = await new Scratch(t).start({ TRAP: '1', STATUS: '130', INPUT_PYTHON: REAL_PYTHON }, sendTwice);
      assert.equal(status, 130);
      assert.match(log, new RegExp(`\\[${number}\\]\n$`));
    });
  }

  it('ends with 128 + n when Python dies of signal n', { skip }, async (t) => {
    const { status } = await new Scratch(t).start({ WAIT: '1', INPUT_PYTHON: REAL_PYTHON }, (child) => child.kill('SIGTERM'));
    assert.equal(status, 143);
  });
});

describe('finding Python', { concurrency: true, skip }, () => {
  it('passes over an old one and a stub, and takes the first that is new enough', async (t) => {
    const scratch = new Scratch(t);
    scratch.oldPython('tools/3.9/bin/python');
    scratch.script('bin/python3', 'exit 49');
    scratch.goodPython('bin/python');
    const { status, report } = await scratch.start({ pythonLocation: scratch.path('tools/3.9') });
    assert.equal(status, 0);
    assert.deepEqual(report.argv, ['run']);
    assert.equal(scratch.read('asked'), 'tools/3.9/bin/python\nbin/python3\nbin/python\n');
  });

  for (const entry of ['', '.', 'bin']) {
    it(`takes none from the workspace, for all that PATH has "${entry}"`, async (t) => {
      const scratch = new Scratch(t);
      for (const name of ['python3', 'python']) scratch.goodPython(path.join('workspace', entry, name));
      scratch.goodPython('bin/python');
      const { status } = await scratch.start({ PATH: [entry, scratch.path('bin')].join(path.delimiter) });
      assert.equal(status, 0);
      assert.equal(scratch.read('asked'), 'bin/python\n');
    });
  }

  it('lets no install manager download one', async (t) => {
    const scratch = new Scratch(t);
    scratch.script('bin/python3', 'echo "$PYTHON_MANAGER_AUTOMATIC_INSTALL" >&2; [ "$PYTHON_MANAGER_AUTOMATIC_INSTALL" = false ] && exit 103; echo 3.14.0 downloaded');
    scratch.goodPython('bin/python');
    const { status } = await scratch.start();
    assert.equal(status, 0);
    assert.equal(scratch.read('asked'), 'bin/python3\nbin/python\n');
  });

  it('gives up on one that hangs', async (t) => {
    const scratch = new Scratch(t);
    scratch.script('bin/python3', 'exec /bin/sleep 60');
    scratch.goodPython('bin/python');
    const { status } = await scratch.start();
    assert.equal(status, 0);
    assert.equal(scratch.read('asked'), 'bin/python3\nbin/python\n');
  });

  it('looks into the tool cache last, newest first', async (t) => {
    const scratch = new Scratch(t);
    scratch.oldPython('bin/python3');
    for (const version of ['3.9.20', '3.10.4', '3.11.9']) scratch.goodPython(`cache/Python/${version}/x64/bin/python3`);
    scratch.script('cache/Python/3.12.1/x64/bin/python3', 'exit 1');
    scratch.write('cache/Python/3.12.1/x64.complete', '');
    const { status } = await scratch.start({ RUNNER_TOOL_CACHE: scratch.path('cache') });
    assert.equal(status, 0);
    const asked = ['bin/python3', 'cache/Python/3.12.1/x64/bin/python3', 'cache/Python/3.11.9/x64/bin/python3'];
    assert.equal(scratch.read('asked'), `${asked.join('\n')}\n`);
  });

  for (const [what, wanted] of [['a name on PATH', 'mypython'], ['a path in the workspace', './mypython']]) {
    it(`takes ${what} from the input, and asks no other`, async (t) => {
      const scratch = new Scratch(t);
      scratch.goodPython('bin/python3');
      const program = wanted.startsWith('.') ? 'workspace/mypython' : 'bin/mypython';
      scratch.goodPython(program);
      const { status } = await scratch.start({ INPUT_PYTHON: wanted });
      assert.equal(status, 0);
      assert.equal(scratch.read('asked'), `${program}\n`);
    });
  }

  it('ends with status 2 when the one in the input is too old or absent', async (t) => {
    const scratch = new Scratch(t);
    scratch.goodPython('bin/python3');
    const python = scratch.oldPython('bin/python3.9');
    const old = await scratch.start({ INPUT_PYTHON: python });
    assert.equal(old.status, 2);
    assert.match(old.log, /^::error .*python3\.9 is 3\.9\.18/);
    const absent = await scratch.start({ INPUT_PYTHON: 'python4', 'INPUT_ON-FAILURE': 'warn' });
    assert.equal(absent.status, 2);
    assert.match(absent.log, /^::error .*python4 was not found/);
    assert.match(scratch.read('summary'), /^\*\*go-prefetch: failed\*\*\n\n- `The input "python" .*3\.9\.18.*`\n\n\*\*.*\n\n- `.*python4 was not found/);
  });
});

describe('without Python', { concurrency: true, skip }, () => {
  it('warns, downloads with plain go, and says disabled', async (t) => {
    const scratch = new Scratch(t);
    scratch.oldPython('bin/python3');
    scratch.fakeGo();
    const { status, log } = await scratch.start();
    assert.equal(status, 0);
    assert.match(log, /^::warning .*python3 is 3\.9\.18.*actions\/setup-python.*apk add python3.*\n/);
    assert.equal(scratch.read('arguments'), 'mod download\n');
    assert.equal(scratch.read('output'), 'cache-result=disabled\ncache-hit=false\n');
  });

  it('writes a job summary with the result and the reason', async (t) => {
    const scratch = new Scratch(t);
    scratch.oldPython('bin/python3');
    scratch.fakeGo();
    await scratch.start();
    const [headline, empty, reason, ...rest] = scratch.read('summary').split('\n');
    assert.match(headline, /^\*\*go-prefetch: disabled\*\* · plain `go mod download` in \d+\.\d s$/);
    assert.match(reason, /^- `No Python 3\.10 or newer was found \(python3 is 3\.9\.18\)\. .*nothing is restored, saved or measured\.`$/);
    assert.deepEqual([empty, ...rest], ['', '', '']);
  });

  it('names a failure in the job summary', async (t) => {
    const scratch = new Scratch(t);
    scratch.fakeGo(3);
    await scratch.start();
    assert.match(scratch.read('summary'), /disabled\*\* · failed\n\n- `go mod download ended with status 3\.`\n- `No Python/);
    const without = new Scratch(t);
    await without.start();
    assert.match(without.read('summary'), /disabled\*\* · failed\n\n- `There is no go on PATH\./);
  });

  it('keeps what others wrote out of the Markdown of the summary', async (t) => {
    const scratch = new Scratch(t);
    scratch.fakeGo();
    const hostile = 'cache`\n# <b>@x\u202e';
    scratch.oldPython(path.join(hostile, 'Python/3.9.1/x64/bin/python3'));
    await scratch.start({ RUNNER_TOOL_CACHE: scratch.path(hostile) });
    assert.match(scratch.read('summary'), /\n\n- `No Python [^`\n]*cache' # <b>@x [^`\n]*`\n\n$/);
  });

  it('writes no job summary where there is none to write, or it is turned off', async (t) => {
    const scratch = new Scratch(t);
    scratch.fakeGo();
    assert.equal((await scratch.start({ INPUT_SUMMARY: 'false' })).status, 0);
    assert.equal(scratch.read('summary'), '');
    const { status, log } = await scratch.start({ GITHUB_STEP_SUMMARY: scratch.path('missing/summary') });
    assert.equal(status, 0);
    assert.match(log, /the job summary could not be written \(ENOENT\)/);
  });

  it('keeps tokens and inputs from go, and nothing else', async (t) => {
    const scratch = new Scratch(t);
    scratch.fakeGo();
    const kept = { GITHUB_TOKEN: 'token', CI_JOB_TOKEN: 'token', GOPRIVATE: 'example.com', ACTIONS_STEP_DEBUG: 'true' };
    await scratch.start({ ...TOKENS, ...kept, 'INPUT_CACHE-NAME': 'secret', INPUT_GOPROXY: 'https://proxy.example,off' });
    const environment = scratch.read('environment');
    assert.doesNotMatch(environment, /secret|^INPUT_/m);
    for (const [name, value] of Object.entries(kept)) assert.ok(environment.includes(`${name}=${value}\n`));
    assert.ok(environment.includes('GOPROXY=https://proxy.example,off\n'));
  });

  it('goes through the working directories that hold a module', async (t) => {
    const scratch = new Scratch(t);
    scratch.fakeGo();
    scratch.write('workspace/b c/go.work', '');
    const { log } = await scratch.start({ 'INPUT_WORKING-DIRECTORY': '.\nb c\r\n\nmissing\nservices/*' });
    assert.equal(scratch.read('folders'), `${scratch.path('workspace')}\n${scratch.path('workspace/b c')}\n`);
    assert.match(log, /no go\.mod or go\.work in missing;/);
    assert.match(log, /no go\.mod or go\.work in services\/\*;/);
  });

  it('ends with the status of go, or 0 where failures are warnings', async (t) => {
    const scratch = new Scratch(t);
    scratch.fakeGo(3);
    const failed = await scratch.start();
    assert.equal(failed.status, 3);
    assert.match(failed.log, /^::error .*status 3/m);
    const tolerated = await scratch.start({ 'INPUT_ON-FAILURE': 'warn' });
    assert.equal(tolerated.status, 0);
    assert.doesNotMatch(tolerated.log, /::error/);
  });

  it('takes no go from the workspace either', async (t) => {
    const scratch = new Scratch(t);
    scratch.script('workspace/go', 'exit 0');
    const { status } = await scratch.start({ PATH: ['.', '', scratch.path('bin')].join(path.delimiter) });
    assert.equal(status, 4);
    assert.equal(scratch.read('asked'), '');
  });

  it('ends with status 4 where go is missing too', async (t) => {
    const scratch = new Scratch(t);
    const { status, log } = await scratch.start();
    assert.equal(status, 4);
    assert.match(log, /^::error .*no go on PATH.*actions\/setup-go/m);
    assert.match(scratch.read('output'), /^cache-result=disabled$/m);
  });

  it('escapes what would end an annotation', async (t) => {
    const { log } = await new Scratch(t).start({ INPUT_PYTHON: '50%\n::error::forged' });
    assert.match(log, /^::error [^\n]*50%25%0A::error::forged/);
    assert.doesNotMatch(log, /^::error::/m);
  });
});

describe('without vendored packages', { concurrency: true, skip }, () => {
  function checkout(t) {
    const scratch = new Scratch(t);
    fs.rmSync(scratch.path('action/vendored'), { recursive: true });
    scratch.write('action/src/requests.py', '');
    scratch.quickPython('bin/python3');
    scratch.fakeGo();
    scratch.environment.RUNNER_TOOL_CACHE = scratch.path('cache');
    fs.mkdirSync(scratch.path('temp'));
    return scratch;
  }

  // Environments under the names that earlier versions looked for: the digest of the lock file and the interpreter.
  function plantedEnvironments(scratch) {
    const asked = 'import sys, sysconfig; print(sysconfig.get_platform(), sysconfig.get_config_var("EXT_SUFFIX"), sys.base_prefix)';
    const build = execFileSync(REAL_PYTHON, ['-I', '-X', 'utf8', '-c', asked], { encoding: 'utf8' });
    const lock = fs.readFileSync(scratch.path('action/requirements.txt'));
    const digest = crypto.createHash('sha256').update(lock).update(build).digest('hex').slice(0, 16);
    const name = `${digest}-${build.split(' ')[1].split('.')[1]}`;
    return ['cache', 'temp'].map((shelf) => {
      scratch.script(`${shelf}/go-prefetch/${name}/bin/python`, `echo planted >> "${scratch.path('asked')}"\nexec "${REAL_PYTHON}" "$@"`);
      return scratch.path(`${shelf}/go-prefetch/${name}`);
    });
  }

  it('makes a virtual environment for each run, and removes it', async (t) => {
    const scratch = checkout(t);
    const [first, second] = [await scratch.start(), await scratch.start()];
    for (const { status, log, report } of [first, second]) {
      assert.equal(status, 0);
      assert.match(path.relative(scratch.path('temp'), report.prefix), /^go-prefetch-[A-Za-z0-9]{6}$/);
      assert.ok(log.includes(`installed in ${report.prefix}\n`));
    }
    assert.notEqual(first.report.prefix, second.report.prefix);
    assert.deepEqual(scratch.list('temp'), []);
    assert.deepEqual(scratch.list('cache'), []);
  });

  it('runs no environment that it finds, wherever it lies', async (t) => {
    const scratch = checkout(t);
    const planted = plantedEnvironments(scratch);
    const { status, report } = await scratch.start();
    assert.equal(status, 0);
    assert.ok(report.prefix.startsWith(scratch.path('temp/go-prefetch-')));
    assert.equal(scratch.read('asked').includes('planted'), false, scratch.read('asked'));
    for (const folder of planted) assert.ok(fs.existsSync(folder), folder);
  });

  it('ends with the status of Python, and removes the environment then too', async (t) => {
    const scratch = checkout(t);
    const { status } = await scratch.start({ STATUS: '5' });
    assert.equal(status, 5);
    assert.deepEqual(scratch.list('temp'), []);
  });

  it('falls back to plain go where the temporary folder cannot be written', async (t) => {
    const scratch = checkout(t);
    fs.rmSync(scratch.path('temp'), { recursive: true });
    scratch.write('temp', 'a file');
    const { status, log } = await scratch.start();
    assert.equal(status, 0);
    assert.match(log, /^::warning .*cannot be written/m);
    assert.equal(scratch.read('arguments'), 'mod download\n');
  });

  it('falls back to plain go when pip fails, and leaves nothing behind', async (t) => {
    const scratch = checkout(t);
    scratch.goodPython('bin/python3');
    scratch.write('action/requirements.txt', `absent==1 ${HASH}\n`);
    const { status, log } = await scratch.start({ PIP_NO_INDEX: '1' });
    assert.equal(status, 0);
    assert.match(log, /^::warning .*pip ended with status 1.*setup-python/m);
    assert.match(scratch.read('summary'), /disabled.*\n\n- `The Python packages .*pip ended with status 1/);
    assert.equal(scratch.read('arguments'), 'mod download\n');
    assert.deepEqual(scratch.list('temp'), []);
  });

  it('stops at a signal, without plain go and without a half environment', async (t) => {
    const scratch = checkout(t);
    scratch.script('bin/python3', `case "$*" in
      *version_info*) echo "3.12.0 $0" ;;
      *) exec /bin/sleep 30 ;;
    esac`);
    const { status } = await scratch.start({}, (child) => setTimeout(() => child.kill('SIGTERM'), 200));
    assert.equal(status, 143);
    assert.equal(scratch.read('arguments'), '');
    assert.deepEqual(scratch.list('temp'), []);
  });
});

describe('a store in a bucket', { concurrency: true, skip }, () => {
  // A Python that has the client of buckets, or lacks it. Its pip puts one file where it is told to.
  function python(t, { has = 1, pip = 'echo "" > "$folder/obstore.py"' } = {}) {
    const scratch = new Scratch(t);
    scratch.script('bin/python3', `case "$*" in
      *version_info*) echo "3.12.0 $0" ;;
      *find_spec*) exit ${has} ;;
      *"-m pip"*) echo "$*" >> "${scratch.path('pip')}"; while [ "$1" != --target ]; do shift; done; folder=$2; ${pip} ;;
      *) exec "${REAL_PYTHON}" "$@" ;;
    esac`);
    fs.mkdirSync(scratch.path('temp'));
    return scratch;
  }

  for (const store of ['s3://bucket/go', 'dir:/var/cache/pool gs://bucket', 'az://container/a/b']) {
    it(`gets the client of ${store} for one run, by hashes`, async (t) => {
      const scratch = python(t);
      const { status, log, report } = await scratch.start({ INPUT_STORE: store });
      assert.equal(status, 0);
      assert.match(path.relative(scratch.path('temp'), report.last), /^go-prefetch-[A-Za-z0-9]{6}$/);
      assert.ok(log.includes(`obstore is installed in ${report.last}\n`));
      assert.deepEqual(report.argv, ['run']);
      const [asked, ...more] = scratch.read('pip').trim().split('\n');
      assert.match(asked, /--only-binary :all: --require-hashes -r \S*action\/requirements-buckets.txt$/);
      assert.deepEqual([more, scratch.list('temp')], [[], []]);
    });
  }

  it('installs nothing where the interpreter has the client', async (t) => {
    const scratch = python(t, { has: 0 });
    const { status, report } = await scratch.start({ INPUT_STORE: 's3://bucket/go' });
    assert.equal(status, 0);
    assert.ok(!report.last.startsWith(scratch.folder));
    assert.equal(scratch.read('pip'), '');
  });

  it('installs nothing for another store', async (t) => {
    for (const store of ['', 'auto', 'dir:/a/s3://b', 'https://s3.example.com/go']) {
      const scratch = python(t);
      await scratch.start({ INPUT_STORE: store });
      assert.equal(scratch.read('pip'), '', store);
    }
  });

  it('goes on without the client where pip fails', async (t) => {
    const scratch = python(t, { pip: 'exit 1' });
    const { status, log, report } = await scratch.start({ INPUT_STORE: 's3://bucket/go' });
    assert.equal(status, 0);
    assert.match(log, /^go-prefetch: obstore could not be installed\..*pip ended with status 1/m);
    assert.ok(!report.last.startsWith(scratch.folder));
    assert.deepEqual(scratch.list('temp'), []);
  });
});
