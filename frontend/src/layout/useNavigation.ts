/** Entries of the navigation that this user may open. */
import { computed } from "vue";
import { useSession } from "@/composables/useSession";
import { navigation } from "@/router/pages";

export function useNavigation() {
  const { mayOperate } = useSession();
  return computed(() => navigation.filter((entry) => !entry.operators || mayOperate.value));
}
