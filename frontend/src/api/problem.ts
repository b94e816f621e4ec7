/** What the API says of an error (RFC 9457). */
export interface Problem {
  title: string;
  status: number;
  detail: string;
  [extension: string]: unknown;
}

/** A request that was answered with an error, or not answered (status 0). */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = "ApiError";
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The problem document of a response; a sentence about the status if it has none. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  const given = isRecord(body) ? body : {};
  const title = typeof given["title"] === "string" ? given["title"] : response.statusText || `Error ${response.status}`;
  const detail = typeof given["detail"] === "string" ? given["detail"] : "";
  return { ...given, title, detail, status: response.status };
}

export const UNREACHABLE: Problem = {
  title: "No answer",
  status: 0,
  detail: "The server does not answer. Check that Millrace runs and that the network works.",
};

/** Whether an error says that the server did not answer. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && error.status === 0;
}

/** Whether an error is of the moment rather than of the question: the same may be answered later. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** Whether an error only says that nobody waits for the answer any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** A sentence for the user. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
