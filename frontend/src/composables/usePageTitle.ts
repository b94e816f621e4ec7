/** Title of a page whose name is known only when its data is there. */
import { onScopeDispose, shallowRef, watchEffect } from "vue";

const override = shallowRef("");

/** What the page says in place of its route's title; empty: nothing. */
export const pageTitle = override;

/** Say the page's title as long as it is shown. */
export function usePageTitle(title: () => string): void {
  watchEffect(() => {
    override.value = title();
    if (title()) document.title = `${title()} · Millrace`;
  });
  onScopeDispose(() => (override.value = ""));
}
