/** Roles in words. */
import type { Role } from "@/composables/useSession";

export const ROLES: readonly Role[] = ["viewer", "editor", "admin"];

export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  viewer: "asks, sees what others share, keeps filters and views of their own",
  editor: "also shares filters, views and dashboards with everybody, and changes shared ones",
  admin: "also manages users and everybody's tokens",
};

/** Roles that somebody may give away: their own, and those below. */
export function rolesUpTo(role: Role): Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1);
}
