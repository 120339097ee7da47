// Saves or restores the whole module cache as actions/cache does: node client.mjs save|restore KEY [PREFIX MATCHED]
//
// With PREFIX, an entry whose key begins so is restored where there is none for KEY: MATCHED has to be its key.
// GOMODCACHE is the folder, RUNNER_TEMP where its archive lies meanwhile, ACTIONS_* the service. The folder is its own
// workspace: names in the archive and the entry's version then do not depend on where it is.
import process from "node:process";
import { restoreCache, saveCache } from "@actions/cache";

const [what, key, prefix, expected = key] = process.argv.slice(2);
const folder = process.env.GOMODCACHE;
if (!["save", "restore"].includes(what) || !key || !folder) {
  console.error("usage: GOMODCACHE=FOLDER node client.mjs save|restore KEY [PREFIX MATCHED]");
  process.exit(2);
}
process.env.GITHUB_WORKSPACE = folder;
process.chdir(folder);

// Neither call throws for what a service does: it warns, and the job goes on. Here that is the end.
if (what === "save") {
  const saved = (await saveCache(["."], key)) !== -1;
  process.exit(saved ? 0 : 1);
}
const matched = await restoreCache(["."], key, prefix ? [prefix] : []);
console.log(`matched: ${matched}`);
process.exit(matched === expected ? 0 : 1);
