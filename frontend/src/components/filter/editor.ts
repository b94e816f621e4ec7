/**
 * The filter editor on CodeMirror: highlighting, errors and completion all come from the server. A chunk of its own,
 * loaded when a filter is edited first.
 */
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  startCompletion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewline } from "@codemirror/commands";
import { setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  drawSelection,
  EditorView,
  keymap,
  placeholder as placeholderText,
  type DecorationSet,
} from "@codemirror/view";
import { completeFilter, type FilterCheck } from "@/api/filters";
import { editorTheme } from "@/components/filter/theme";

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  label: string;
  placeholder: string;
  /** Said of each change of the text. */
  changed: (text: string) => void;
  /** Enter was pressed. */
  apply: () => void;
  /** Id of the element that tells what is wrong. */
  describedBy: string;
}

export interface Editor {
  setText: (text: string) => void;
  /** Colours and the error of a text; passed over if the text has changed since. */
  setCheck: (text: string, check: FilterCheck) => void;
  setDisabled: (disabled: boolean) => void;
  focus: () => void;
  destroy: () => void;
}

const setTokens = StateEffect.define<DecorationSet>();

/** Colours stay with their text while it changes, until the server has said the new ones. */
const tokenField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(decorations, transaction) {
    const effect = transaction.effects.find((one) => one.is(setTokens));
    return effect ? (effect.value as DecorationSet) : decorations.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

function decorationsOf(check: FilterCheck, length: number): DecorationSet {
  const ranges = check.tokens
    .filter((token) => token.start < token.end && token.end <= length)
    .map((token) => Decoration.mark({ class: `filter-${token.kind}` }).range(token.start, token.end));
  return Decoration.set(ranges, true);
}

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const before = text.slice(0, context.pos);
  // While typing: after a word has begun or a space after one; on Ctrl+Space always.
  if (!context.explicit && !/[\w@"'(,=<>~/:.\s]$/.test(before)) return null;
  const controller = new AbortController();
  context.addEventListener("abort", () => controller.abort());
  try {
    const found = await completeFilter(text, context.pos, controller.signal);
    if (context.aborted || !found.options.length) return null;
    return {
      from: found.start,
      to: Math.max(found.end, found.start),
      filter: false,
      options: found.options.map((option) => ({
        label: option.label || option.text,
        apply: option.text,
        detail: option.detail,
        type: found.what,
      })),
    };
  } catch {
    // No completion is no harm: the text can be typed.
    return null;
  }
}

export function createEditor(options: EditorOptions): Editor {
  const editable = new Compartment();
  const applyKey = {
    key: "Enter",
    run: () => {
      options.apply();
      return true;
    },
  };
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        Prec.high(keymap.of([...completionKeymap, { key: "Tab", run: acceptCompletion }])),
        keymap.of([
          { key: "Ctrl-Space", run: startCompletion },
          { key: "Shift-Enter", run: insertNewline },
          applyKey,
          ...closeBracketsKeymap,
          ...historyKeymap,
          ...defaultKeymap.filter(({ key }) => key !== "Mod-Enter"),
        ]),
        history(),
        drawSelection(),
        closeBrackets(),
        autocompletion({ override: [complete], activateOnTypingDelay: 150, icons: false, closeOnBlur: true }),
        tokenField,
        editorTheme,
        placeholderText(options.placeholder),
        EditorView.lineWrapping,
        editable.of(EditorView.editable.of(true)),
        EditorView.contentAttributes.of({
          "aria-label": options.label,
          "aria-describedby": options.describedBy,
          "aria-multiline": "true",
          spellcheck: "false",
          autocapitalize: "off",
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.changed(update.state.doc.toString());
        }),
      ],
    }),
  });

  return {
    setText(text) {
      if (text === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    setCheck(text, check) {
      if (text !== view.state.doc.toString()) return;
      const { length } = view.state.doc;
      view.dispatch({ effects: setTokens.of(decorationsOf(check, length)) });
      const fault = check.error;
      const from = Math.min(fault?.start ?? 0, length);
      // An error at the end has no letter to underline: the last one stands for it.
      const to = Math.min(Math.max(fault?.end ?? 0, from + 1), length);
      view.dispatch(
        setDiagnostics(
          view.state,
          fault ? [{ from: Math.min(from, Math.max(0, to - 1)), to, severity: "error", message: fault.message }] : [],
        ),
      );
    },
    setDisabled(disabled) {
      view.dispatch({ effects: editable.reconfigure(EditorView.editable.of(!disabled)) });
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
