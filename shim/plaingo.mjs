// Without a usable Python the job still gets its modules: one plain `go mod download` per module.

import fs from 'node:fs';
import path from 'node:path';
import { run } from './process.mjs';
import { annotate, asCode, environmentWithoutTokens, input, setOutputs, summarize, workspace } from './runner.mjs';

const NO_GO = 'There is no go on PATH. Put actions/setup-go before this step, or install Go in the image of the job.';

export async function plainGo(reason) {
  const because = `${reason} This run is a plain "go mod download": nothing is restored, saved or measured.`;
  annotate('warning', because);
  setOutputs({ 'cache-result': 'disabled', 'cache-hit': 'false' });
  const go = goOnPath();
  const began = performance.now();
  const { status, failure, stoppedBy } = go ? await download(go) : { status: 4, failure: NO_GO };
  if (stoppedBy) return status;
  const result = failure ? 'failed' : `plain \`go mod download\` in ${((performance.now() - began) / 1000).toFixed(1)} s`;
  summarize(`**go-prefetch: disabled** · ${result}`, ...[failure, because].filter(Boolean).map((text) => `- ${asCode(text)}`));
  return failure ? failed(failure, status) : 0;
}

// Goes through all folders, also after a failure. The first failure counts.
async function download(go) {
  let firstFailure = 0;
  for (const folder of modules()) {
    console.log(`go-prefetch: go mod download in ${folder}`);
    const { status, stoppedBy } = await run(go, ['mod', 'download'], { cwd: folder, env: environmentForGo() });
    if (stoppedBy) return { status, stoppedBy };
    firstFailure ||= status;
  }
  return { status: firstFailure, failure: firstFailure && `go mod download ended with status ${firstFailure}.` };
}

function failed(message, status) {
  const tolerated = input('on-failure') === 'warn';
  annotate(tolerated ? 'warning' : 'error', message);
  return tolerated ? 0 : status;
}

// The input keeps its meaning here too: without it a company's module paths could reach a public proxy.
function environmentForGo() {
  const environment = environmentWithoutTokens();
  if (input('goproxy')) environment.GOPROXY = input('goproxy');
  return environment;
}

function modules() {
  const wanted = (input('working-directory') || '.').split(/\r?\n/).map((line) => line.trim()).filter((line) => line && !line.startsWith('!'));
  const isModule = (folder) => ['go.mod', 'go.work'].some((name) => fs.existsSync(path.join(folder, name)));
  for (const line of wanted.filter((line) => !isModule(path.resolve(workspace(), line)))) {
    console.log(`go-prefetch: no go.mod or go.work in ${line}; left to later go commands`);
  }
  return wanted.map((line) => path.resolve(workspace(), line)).filter(isModule);
}

// A full path, because Windows looks for programs in the current folder first, and that is the user's repository.
function goOnPath() {
  const name = process.platform === 'win32' ? 'go.exe' : 'go';
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return folders.map((folder) => path.join(folder, name)).find(isProgram);
}

function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
