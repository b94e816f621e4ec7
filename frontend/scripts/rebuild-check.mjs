/** Build the console and the client beside the kept ones and compare: fails, with names, where they differ. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const kept = join(root, "../src/millrace/console/dist");
const client = join(root, "src/api/schema.d.ts");
const fresh = mkdtempSync(join(tmpdir(), "console-"));

function contents(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), readFileSync(path)];
    }),
  );
}

const run = (...words) => {
  execFileSync("npx", ["--no-install", ...words], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
};

let different;
try {
  const types = join(fresh, "schema.d.ts");
  run("openapi-typescript", "openapi.json", "--output", types);
  run("vite", "build", "--outDir", join(fresh, "dist"), "--logLevel", "error");
  const [old, now] = [contents(kept), contents(join(fresh, "dist"))];
  different = [...new Set([...old.keys(), ...now.keys()])].filter(
    (name) => !old.has(name) || !now.has(name) || !old.get(name).equals(now.get(name)),
  );
  if (!readFileSync(types).equals(readFileSync(client))) different.push("frontend/src/api/schema.d.ts");
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
if (different.length) {
  console.error(`the built console is not fresh; run: make console. Different: ${different.sort().join(", ")}`);
  process.exit(1);
}
