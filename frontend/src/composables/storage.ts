/** Small things this browser remembers; where storage is refused it forgets. */

const PREFIX = "millrace.";

export function readText(key: string): string {
  try {
    return localStorage.getItem(PREFIX + key) ?? "";
  } catch {
    return "";
  }
}

export function writeText(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // Forgotten at the next visit.
  }
}

export const readFlag = (key: string): boolean => readText(key) === "1";
export const writeFlag = (key: string, value: boolean): void => writeText(key, value ? "1" : "");
