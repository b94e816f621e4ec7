import { join } from "node:path";
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import vue from "@vitejs/plugin-vue";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { sourceHash } from "./scripts/sources.ts";

const root = fileURLToPath(new URL(".", import.meta.url));
const dist = join(root, "../src/millrace/console/dist");
const millrace = process.env["MILLRACE_URL"] ?? "http://127.0.0.1:8080";

/** Leaves the hash of the sources beside what was built from them. */
function stamp(): Plugin {
  return {
    name: "millrace-stamp",
    apply: "build",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "source.sha256", source: `${sourceHash(root)}\n` });
    },
  };
}

export default defineConfig({
  plugins: [vue(), tailwindcss(), stamp()],
  resolve: { alias: { "@": join(root, "src") } },
  build: {
    outDir: dist,
    emptyOutDir: true,
    target: "es2022",
    // Browsers that know light-dark(), so that it is left as written.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // Source maps would triple the package; the sources are in the repository.
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
    // Everything from its own file: the content security policy allows data: for images alone.
    assetsInlineLimit: 0,
  },
  server: {
    host: "127.0.0.1",
    // The server refuses what other origins ask it to change.
    proxy: { "/api": { target: millrace, changeOrigin: true, headers: { origin: millrace } } },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts"],
    setupFiles: ["src/testing/setup.ts"],
    restoreMocks: true,
    testTimeout: 30_000,
  },
});
