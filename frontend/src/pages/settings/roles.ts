/** Roles in words. */
import type { Role } from "@/composables/useSession";

export const ROLES: readonly Role[] = ["viewer", "editor", "admin"];

export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  viewer: "may ask, see what others share, and keep filters, views and dashboards of their own",
  editor: "may also share these with everybody, and change shared ones",
  admin: "may also manage users and everybody's tokens",
};

/** Roles that somebody may give away: their own, and those below. */
export function rolesUpTo(role: Role): Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1);
}
