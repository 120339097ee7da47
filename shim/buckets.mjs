// Gives Python the client of buckets, which is no package of go-prefetch: few jobs need it, and it has a part for each system.
// Where the interpreter lacks it, and the store is a bucket, it is installed from a lock file with hashes, for this run alone.
// As with the other packages, nothing that lies on the machine already is taken, unless it belongs to the interpreter.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { installed, NoPackages, ROOT, withFolder } from './packages.mjs';
import { input } from './runner.mjs';

const LOCK_FILE = path.join(ROOT, 'requirements-buckets.txt');
const BUCKET = /(?:^|\s)(?:s3|gs|az):\/\//;
const QUESTION = 'import importlib.util, sys; sys.exit(importlib.util.find_spec("obstore") is None)';

// Calls `use` with a folder of packages, or with '' where none is needed or possible. Without its store, a run goes on.
export async function withBucketClient(python, use) {
  if (!BUCKET.test(input('store') || process.env.GO_PREFETCH_STORE || '')) return use('');
  if (spawnSync(python, ['-I', '-c', QUESTION], { cwd: ROOT, stdio: 'ignore', windowsHide: true }).status === 0) return use('');
  return withFolder(async (folder) => use(await install(python, folder)));
}

async function install(python, folder) {
  console.log(`go-prefetch: the store is a bucket, and this Python lacks its client, so obstore is installed in ${folder}`);
  try {
    await installed(python, LOCK_FILE, folder, '--no-deps', '--target', folder);
    return folder;
  } catch (error) {
    if (!(error instanceof NoPackages)) throw error;
    console.log(`go-prefetch: obstore could not be installed. It needs pip and Python 3.11 or newer. ${error.message}`);
    return '';
  }
}
