// Starts a command of go-prefetch. Restoring and saving the build cache share a file, whose path this hands over.

import path from 'node:path';
import { withBucketClient } from './buckets.mjs';
import { run } from './process.mjs';
import { workspace } from './runner.mjs';

const LAUNCHER = path.join(import.meta.dirname, 'launch.py');

// -I: nothing in the user's repository, PYTHONPATH or user site is imported. -u: our lines and those of go stay in order.
// -X utf8: with -I, PYTHONUTF8 is not read, and Windows would write another encoding into the log.
export async function start(python, command, stateFile) {
  const env = { ...process.env, GO_PREFETCH_BUILD_CACHE_STATE: stateFile };
  return withBucketClient(python, async (packages) => {
    const { status } = await run(python, ['-I', '-u', '-X', 'utf8', LAUNCHER, packages, ...command], { cwd: workspace(), env });
    return status;
  });
}
