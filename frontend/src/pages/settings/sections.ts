/** The sections of the settings, and who sees which. */
import type { IconName } from "@/components/icons";
import type { Session } from "@/composables/useSession";

const SECTION_KEYS = ["profile", "tokens", "filters", "views", "users", "appearance", "about"] as const;
export type SectionKey = (typeof SECTION_KEYS)[number];

export interface Section {
  key: SectionKey;
  title: string;
  icon: IconName;
}

const SECTIONS: readonly Section[] = [
  { key: "profile", title: "Profile", icon: "user" },
  { key: "tokens", title: "API tokens", icon: "code" },
  { key: "filters", title: "Saved filters", icon: "filter" },
  { key: "views", title: "Saved views", icon: "star" },
  { key: "users", title: "Users", icon: "list" },
  { key: "appearance", title: "Appearance", icon: "sun" },
  { key: "about", title: "About", icon: "info" },
];

/** What a session may do something in. */
export function sectionsFor(session: Pick<Session, "may"> | null): Section[] {
  return SECTIONS.filter(({ key }) => key !== "users" || (session?.may.administer ?? false));
}

/** The section an address names; the first if it names none that is shown. */
export function sectionOf(text: unknown, shown: readonly Section[]): SectionKey {
  return shown.find(({ key }) => key === text)?.key ?? shown[0]?.key ?? "profile";
}
