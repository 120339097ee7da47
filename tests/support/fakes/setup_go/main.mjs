import { execFileSync } from "node:child_process";
import fs from "node:fs";

const kept = `${process.env.STAND_IN_CACHE}/tree`;
const folder = execFileSync("go", ["env", "GOMODCACHE"], { encoding: "utf8" }).trim();
if (process.env.INPUT_CACHE === "true" && fs.existsSync(kept)) {
  fs.mkdirSync(folder, { recursive: true });
  execFileSync("cp", ["-a", `${kept}/.`, folder]);
  console.log(`stand-in restored ${folder}`);
}
