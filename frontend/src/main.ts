import { createApp } from "vue";
import App from "@/App.vue";
import { router } from "@/router";
import "@/styles/main.css";

/** A tab that was open while the server was updated asks for chunks that are gone: the new page has new ones. */
const RELOADED = "millrace.reloaded";
const RELOAD_PAUSE_MS = 30_000;
addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  // Twice in a row it is not that; the page says what failed.
  if (Date.now() - last < RELOAD_PAUSE_MS) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
});

createApp(App).use(router).mount("#app");
