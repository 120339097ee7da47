// For the tests: a copy of the shim in a scratch action, with a go_prefetch that reports how it was started.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findPython } from '../../shim/python.mjs';

export const REAL_PYTHON = findPython().python;
export const HASH = `--hash=sha256:${'0'.repeat(64)}`;

const REPORTS_ITS_START = `
import argparse, json, os, signal, sys, time
import requests
asked = []
if "LEAVES_STATE" in os.environ:
    open(os.environ["GO_PREFETCH_BUILD_CACHE_STATE"], "x").close()
if "TRAP" in os.environ:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.append(number))
print(json.dumps({"argv": sys.argv[1:], "command_line": sys.orig_argv, "cwd": os.getcwd(), "environment": dict(os.environ),
                  "argparse": argparse.__file__, "requests": requests.__file__, "utf8": sys.flags.utf8_mode, "prefix": sys.prefix, "last": sys.path[-1]}))
if "WAIT" in os.environ or "TRAP" in os.environ:
    deadline = time.monotonic() + 30
    while not asked and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    print(json.dumps(asked))
sys.exit(int(os.environ.get("STATUS", "0")))
`;

export class Scratch {
  constructor(test) {
    this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'shim-')));
    test.after(() => fs.rmSync(this.folder, { recursive: true, force: true }));
    fs.cpSync(path.join(import.meta.dirname, '../../shim'), this.path('action/shim'), { recursive: true });
    this.write('action/requirements.txt', '# none\n');
    this.write('action/requirements-buckets.txt', '# none\n');
    this.write('action/src/go_prefetch/__init__.py', '');
    this.write('action/src/go_prefetch/__main__.py', REPORTS_ITS_START);
    this.write('action/vendored/requests.py', '');
    this.write('workspace/go.mod', 'module example.com/a\n');
    fs.mkdirSync(this.path('bin'));
    this.environment = {
      PATH: this.path('bin'),
      SystemRoot: process.env.SystemRoot ?? '',
      GITHUB_WORKSPACE: this.path('workspace'),
      GITHUB_OUTPUT: this.write('output', ''),
      GITHUB_STATE: this.write('state', ''),
      GITHUB_STEP_SUMMARY: this.write('summary', ''),
      RUNNER_TEMP: this.path('temp'),
    };
  }

  path(name) {
    return path.join(this.folder, name);
  }

  write(name, text, mode = 0o644) {
    fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
    fs.writeFileSync(this.path(name), text, { mode });
    return this.path(name);
  }

  read(name) {
    return fs.existsSync(this.path(name)) ? fs.readFileSync(this.path(name), 'utf8') : '';
  }

  list(name) {
    return fs.existsSync(this.path(name)) ? fs.readdirSync(this.path(name)) : [];
  }

  // A program that leaves its name in `asked` and then does what `body` says.
  script(name, body) {
    return this.write(name, `#!/bin/sh\necho ${name} >> "${this.path('asked')}"\n${body}\n`, 0o755);
  }

  goodPython(name) {
    return this.script(name, `exec "${REAL_PYTHON}" "$@"`);
  }

  // Makes its virtual environments with the real Python's pip, which takes a tenth of the time.
  quickPython(name) {
    return this.script(name, `case "$*" in
      *version_info*) echo "3.12.0 $0" ;;
      *"-m venv"*) shift 3; exec "${REAL_PYTHON}" -I -m venv --without-pip --system-site-packages "$@" ;;
      *) exec "${REAL_PYTHON}" "$@" ;;
    esac`);
  }

  oldPython(name) {
    return this.script(name, 'echo "3.9.18 /usr/bin/python3"');
  }

  fakeGo(status = 0) {
    return this.script('bin/go', `pwd >> "${this.path('folders')}"\necho "$*" >> "${this.path('arguments')}"\n`
      + `/usr/bin/env > "${this.path('environment')}"\nexit ${status}`);
  }

  // Starts the shim as the runner does, in the workspace; `whenStarted(child)` is called at its first line of output.
  start(environment = {}, whenStarted = () => {}, entry = 'main') {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [this.path(`action/shim/${entry}.mjs`)], {
        env: { ...this.environment, ...environment },
        cwd: this.path('workspace'),
      });
      let [log, errors] = ['', ''];
      child.stdout.once('data', () => whenStarted(child));
      child.stdout.on('data', (data) => (log += data));
      child.stderr.on('data', (data) => (errors += data));
      child.on('close', (status) => resolve({ status, log, errors, report: reportIn(log) }));
    });
  }
}

// The variables in which a runner hands the state of main.mjs to post.mjs.
export function stateOf(scratch) {
  const lines = scratch.read('state').split('\n').filter(Boolean).map((line) => line.split(/=(.*)/));
  return Object.fromEntries(lines.map(([name, value]) => [`STATE_${name}`, value]));
}

function reportIn(log) {
  const line = log.split('\n').find((line) => line.startsWith('{'));
  return line && JSON.parse(line);
}
