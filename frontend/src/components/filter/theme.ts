import { EditorView } from "@codemirror/view";

export const KINDS = ["keyword", "operator", "column", "string", "number", "address", "saved", "comment"] as const;

/** Looks like the other fields; colours are those of `tokens.css`, so that both themes work. */
export const editorTheme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "transparent", fontSize: "0.929rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.5", maxHeight: "9rem", overflow: "auto" },
  ".cm-content": { padding: "5px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 8px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-placeholder": { color: "var(--ink-3)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)",
  },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft)" },
  ...Object.fromEntries(KINDS.map((kind) => [`.filter-${kind}`, { color: `var(--syntax-${kind})` }])),
  ".filter-keyword": { color: "var(--syntax-keyword)", fontWeight: "600" },
  ".filter-name": { color: "var(--syntax-string)" },
  ".filter-comment": { color: "var(--syntax-comment)", fontStyle: "italic" },
  ".filter-error": { color: "var(--bad)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
    borderRadius: "6px",
    boxShadow: "var(--shadow)",
    overflow: "hidden",
    maxWidth: "min(36rem, calc(100vw - 1.5rem))",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", maxHeight: "16rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", display: "flex", gap: "1rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent-soft)",
    color: "var(--accent-strong)",
  },
  ".cm-completionLabel": { flex: "1", overflow: "hidden", textOverflow: "ellipsis" },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal", marginLeft: "0" },
  ".cm-diagnostic": { padding: "4px 8px", maxWidth: "36rem" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)" },
});
