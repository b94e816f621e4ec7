/** A little of Markdown, for notes: headings, paragraphs, lists, **bold**, *emphasis*, `code`, [links](address). */

export type Span =
  | { kind: "text" | "bold" | "emphasis" | "code"; text: string }
  | { kind: "link"; text: string; href: string; inside: boolean };

export type Block =
  | { kind: "heading"; level: 1 | 2 | 3; spans: Span[] }
  | { kind: "paragraph"; spans: Span[] }
  | { kind: "list"; ordered: boolean; items: Span[][] };

const INLINE = /\*\*([^*\n]{1,500})\*\*|\*([^*\n]{1,500})\*|`([^`\n]{1,500})`|\[([^\]\n]{1,300})\]\(([^)\s]{1,1000})\)/g;
const ITEM = /^\s{0,3}(?:[-*]|(\d{1,3})[.)])\s+(.*)$/;
const HEADING = /^(#{1,3})\s+(.*)$/;

/** Where a link may lead: to the web, or to a page of the console. Anything else is text. */
export function safeHref(href: string): { href: string; inside: boolean } | null {
  if (/^https?:\/\/[^/]/i.test(href)) return { href, inside: false };
  return /^\/(?![/\\])/.test(href) ? { href, inside: true } : null;
}

export function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, bold, emphasis, code, label, target] = match;
    const link = target === undefined ? null : safeHref(target);
    if (target !== undefined && !link) continue;
    if (match.index > at) spans.push({ kind: "text", text: text.slice(at, match.index) });
    if (link) spans.push({ kind: "link", text: label ?? "", ...link });
    else if (bold !== undefined) spans.push({ kind: "bold", text: bold });
    else if (emphasis !== undefined) spans.push({ kind: "emphasis", text: emphasis });
    else spans.push({ kind: "code", text: code ?? "" });
    at = match.index + whole.length;
  }
  if (at < text.length) spans.push({ kind: "text", text: text.slice(at) });
  return spans;
}

export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  /** Whether the next line goes on with the last paragraph. */
  let open = false;
  for (const line of text.split(/\r?\n/)) {
    const heading = HEADING.exec(line);
    const item = ITEM.exec(line);
    const last = blocks.at(-1);
    if (!line.trim()) {
      open = false;
    } else if (heading) {
      blocks.push({ kind: "heading", level: (heading[1]?.length ?? 1) as 1 | 2 | 3, spans: spansOf(heading[2] ?? "") });
      open = false;
    } else if (item) {
      const ordered = item[1] !== undefined;
      const spans = spansOf(item[2] ?? "");
      if (last?.kind === "list" && last.ordered === ordered) last.items.push(spans);
      else blocks.push({ kind: "list", ordered, items: [spans] });
      open = false;
    } else if (open && last?.kind === "paragraph") {
      last.spans.push({ kind: "text", text: " " }, ...spansOf(line.trim()));
    } else {
      blocks.push({ kind: "paragraph", spans: spansOf(line.trim()) });
      open = true;
    }
  }
  return blocks;
}
