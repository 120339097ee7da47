import process from "node:process";
import { saveCache } from "cache-6";

console.log(`saved ${await saveCache([process.env.INPUT_PATH], process.env.INPUT_KEY)}`);
