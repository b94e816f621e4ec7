/** Flows as a file, told how far it is while it comes. */
import { api } from "@/api/client";
import { ApiError, isAbort, UNREACHABLE } from "@/api/problem";
import type { components } from "@/api/schema";

export type ExportQuestion = components["schemas"]["ExportQuestion"];
/** What of a question does not depend on the file. */
export type ExportRange = Omit<ExportQuestion, "limit" | "columns">;

export const EXPORT_FORMATS = [
  { format: "csv", label: "CSV", detail: "spreadsheets", lines: true },
  { format: "jsonl", label: "JSON lines", detail: "scripts", lines: true },
  { format: "parquet", label: "Parquet", detail: "data frames", lines: false },
  { format: "arrow", label: "Arrow", detail: "data frames", lines: false },
] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number]["format"];

export const MOST_EXPORTED = 1_000_000;

export interface Progress {
  bytes: number;
  /** Flows so far; null where only the finished file can tell. */
  flows: number | null;
}

export interface ExportedFile {
  blob: Blob;
  name: string;
  flows: number | null;
}

const NEWLINE = 10;

/** Line ends in a part of a file. */
export function countLines(part: Uint8Array): number {
  let count = 0;
  for (let at = part.indexOf(NEWLINE); at !== -1; at = part.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** The name a `Content-Disposition` gives; `usual` if it gives none. */
export function fileName(disposition: string | null, usual: string): string {
  const found = /filename="?([^";]+)"?/i.exec(disposition ?? "");
  // What a server names is a name, not a path.
  return found?.[1]?.replaceAll(/[/\\]/g, "_") ?? usual;
}

/** Read a body to its end, part by part. */
export async function readParts(
  body: ReadableStream<Uint8Array>,
  lines: boolean,
  heading: boolean,
  progress: (so: Progress) => void,
): Promise<{ parts: BlobPart[]; flows: number | null }> {
  const parts: BlobPart[] = [];
  const reader = body.getReader();
  let bytes = 0;
  let count = heading ? -1 : 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value as BlobPart);
    bytes += value.length;
    if (lines) count += countLines(value);
    progress({ bytes, flows: lines ? Math.max(count, 0) : null });
  }
  return { parts, flows: lines ? Math.max(count, 0) : null };
}

/**
 * Ask for a file of flows.
 *
 * Raises `ApiError`, also if the connection ends before the file does: a file that is cut off is not handed out.
 */
export async function exportFlows(
  question: ExportQuestion,
  format: ExportFormat,
  signal: AbortSignal,
  progress: (so: Progress) => void,
): Promise<ExportedFile> {
  const { response, data } = await api.POST("/api/v1/flows/export", {
    body: question,
    params: { query: { format } },
    parseAs: "stream",
    signal,
  });
  const usual = `millrace-flows.${format}`;
  const lines = format === "csv" || format === "jsonl";
  const body = (data ?? response.body) as ReadableStream<Uint8Array> | null;
  if (!body) throw new ApiError(UNREACHABLE);
  try {
    const { parts, flows } = await readParts(body, lines, format === "csv", progress);
    const type = response.headers.get("Content-Type") ?? "application/octet-stream";
    return { blob: new Blob(parts, { type }), name: fileName(response.headers.get("Content-Disposition"), usual), flows };
  } catch (error) {
    if (isAbort(error) || signal.aborted) throw error;
    throw new ApiError({
      title: "The file was cut off",
      status: 0,
      detail: "The connection ended before the file did, so nothing was saved. Export fewer flows, or try again.",
    });
  }
}
