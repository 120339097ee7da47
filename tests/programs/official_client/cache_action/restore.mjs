import fs from "node:fs";
import process from "node:process";
import { restoreCache } from "cache-6";

const { INPUT_PATH, INPUT_KEY, "INPUT_RESTORE-KEYS": prefixes = "" } = process.env;
const matched = await restoreCache([INPUT_PATH], INPUT_KEY, prefixes.split("\n").filter(Boolean));
const hit = matched === undefined ? "" : String(matched.toLowerCase() === INPUT_KEY.toLowerCase());
fs.appendFileSync(process.env.GITHUB_OUTPUT, `cache-hit=${hit}\n`);
console.log(`matched ${matched}`);
