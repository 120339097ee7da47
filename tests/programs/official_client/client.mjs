// Saves or restores the file `content` of the current folder: node client.mjs 5|6 save|restore KEY [RESTORE-KEY…]
//
// RUNNER_TEMP is where its archive lies meanwhile, ACTIONS_* the service, RETURNED a file for what the client returned.
import fs from "node:fs";
import process from "node:process";

const [version, what, key, ...restoreKeys] = process.argv.slice(2);
const { restoreCache, saveCache } = await import(`cache-${version}`);
process.env.GITHUB_WORKSPACE = process.cwd();

const returned = what === "save" ? await saveCache(["content"], key) : await restoreCache(["content"], key, restoreKeys);
fs.writeFileSync(process.env.RETURNED, JSON.stringify(returned ?? null));
