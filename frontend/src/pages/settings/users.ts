/** Users, as administrators see them. */
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type User = Schemas["UserView"];
export type NewUser = Schemas["UserBody"];
export type UserChange = Schemas["UserPatch"];

/** Whether nobody else could administer: such a user can neither be removed nor disabled nor degraded. */
export function isLastAdmin(user: User, users: readonly User[]): boolean {
  const admins = users.filter(({ role, enabled }) => role === "admin" && enabled);
  return admins.length === 1 && admins[0]?.name === user.name;
}

export const LOGIN_WORDS: Readonly<Record<User["source"], string>> = { local: "password", oidc: "login provider" };

/** How a user logs in. */
export function loginWords(user: Pick<User, "source" | "has_password">): string {
  if (user.source !== "local") return LOGIN_WORDS[user.source];
  return user.has_password ? LOGIN_WORDS.local : "no password";
}

/** What is typed of a user. */
export interface UserForm {
  name: string;
  fullName: string;
  email: string;
  role: User["role"];
  /** Empty: none is set. */
  password: string;
  limit: string;
  enabled: boolean;
}

export function formOf(user: User | null): UserForm {
  return {
    name: user?.name ?? "",
    fullName: user?.full_name ?? "",
    email: user?.email ?? "",
    role: user?.role ?? "viewer",
    password: "",
    limit: user?.scope_filter ?? "",
    enabled: user?.enabled ?? true,
  };
}

/** Administrators have no limit. */
function limitOf(form: UserForm): string {
  return form.role === "admin" ? "" : form.limit.trim();
}

export function newUser(form: UserForm): NewUser {
  return {
    name: form.name.trim(),
    role: form.role,
    password: form.password || null,
    full_name: form.fullName.trim(),
    email: form.email.trim(),
    scope_filter: limitOf(form),
  };
}

/** What has changed; all else is left out, so that what somebody else changed meanwhile stays. */
export function changeOf(form: UserForm, user: User): UserChange {
  const change: UserChange = {};
  if (form.role !== user.role) change.role = form.role;
  if (form.password) change.password = form.password;
  if (form.fullName.trim() !== user.full_name) change.full_name = form.fullName.trim();
  if (form.email.trim() !== user.email) change.email = form.email.trim();
  if (limitOf(form) !== user.scope_filter) change.scope_filter = limitOf(form);
  if (form.enabled !== user.enabled) change.enabled = form.enabled;
  return change;
}
