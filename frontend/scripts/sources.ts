/**
 * Hash of everything the build reads, so that a check needs no Node: `scripts/console_source_hash.py` of the
 * repository computes the same. A line per file, sorted by path: path, NUL, SHA-256 of its bytes, newline.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

const FILES = ["index.html", "openapi.json", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"];
const FOLDERS = ["public", "scripts", "src"];

export function sourceFiles(root: string): string[] {
  const found = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/")),
  );
  return [...FILES, ...found].sort((a, b) => (a < b ? -1 : 1));
}

export function sourceHash(root: string): string {
  const all = createHash("sha256");
  for (const path of sourceFiles(root)) {
    all.update(`${path}\0${createHash("sha256").update(readFileSync(join(root, path))).digest("hex")}\n`);
  }
  return all.digest("hex");
}
