/**
 * The filter editor on CodeMirror: highlighting, errors and completion all come from the server. A chunk of its own,
 * loaded when a filter is edited first.
 *
 * The list of completions never changes what is complete: Enter takes what was chosen in it with the arrows and runs the
 * filter if nothing was, Ctrl+Enter runs what stands there, Tab finishes a word that means nothing by itself.
 */
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  currentCompletions,
  selectedCompletionIndex,
  setSelectedCompletion,
  startCompletion,
  type Completion,
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
  /** The filter is to be run as it stands. */
  apply: () => void;
  /** Id of the element that tells what is wrong. */
  describedBy: string;
}

export interface Editor {
  setText: (text: string) => void;
  /** Colours and the error of a text; passed over if the text has changed since. */
  setCheck: (text: string, check: FilterCheck) => void;
  setDisabled: (disabled: boolean) => void;
  /** With the caret at a place of the text, if one is given. */
  focus: (at?: number) => void;
  destroy: () => void;
}

/** Between two requests for what the store tells late, and how many more there are: as long as it is given for an answer. */
const LATE_PAUSE_MS = 500;
const MOST_LATE = 10;

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

/** A completion that knows whether it may be taken without having been chosen. */
interface Offered extends Completion {
  finishes: boolean;
}

/** The list; while there is nothing to put into it because the store is late, it is asked for again. */
async function completeInTime(text: string, at: number, signal: AbortSignal): ReturnType<typeof completeFilter> {
  for (let again = 0; ; again++) {
    const found = await completeFilter(text, at, signal);
    if (found.options.length || !found.late || again === MOST_LATE || signal.aborted) return found;
    await new Promise((resolve) => setTimeout(resolve, LATE_PAUSE_MS));
  }
}

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const before = text.slice(0, context.pos);
  // While typing: after a word has begun or a space after one; on Ctrl+Space always.
  if (!context.explicit && !/[\w@"'(,=<>~/:.\s]$/.test(before)) return null;
  const controller = new AbortController();
  context.addEventListener("abort", () => controller.abort());
  try {
    const found = await completeInTime(text, context.pos, controller.signal);
    if (context.aborted || !found.options.length) return null;
    return {
      from: found.start,
      to: Math.max(found.end, found.start),
      filter: false,
      options: found.options.map(
        (option): Offered => ({
          label: option.label || option.text,
          apply: option.text,
          detail: option.detail,
          type: found.what,
          finishes: found.unfinished,
        }),
      ),
    };
  } catch {
    // No completion is no harm: the text can be typed.
    return null;
  }
}

/** Tab: what was chosen, or else the first that finishes the word; where neither is, Tab leaves the field as any other. */
function finishWord(view: EditorView): boolean {
  if ((selectedCompletionIndex(view.state) ?? -1) >= 0) return acceptCompletion(view);
  const [first] = currentCompletions(view.state) as readonly Offered[];
  if (!first?.finishes) return false;
  view.dispatch({ effects: setSelectedCompletion(0) });
  return acceptCompletion(view);
}

/** Keys that run what stands there, whatever is chosen: of both kinds of keyboard. */
const RUN = ["Ctrl-Enter", "Meta-Enter"] as const;

export function createEditor(options: EditorOptions): Editor {
  const editable = new Compartment();
  function apply(view: EditorView): boolean {
    closeCompletion(view);
    options.apply();
    return true;
  }
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        Prec.high(keymap.of([...RUN.map((key) => ({ key, run: apply })), ...completionKeymap, { key: "Tab", run: finishWord }])),
        keymap.of([
          { key: "Shift-Enter", run: insertNewline },
          { key: "Enter", run: apply },
          ...closeBracketsKeymap,
          ...historyKeymap,
          ...defaultKeymap.filter(({ key }) => key !== "Mod-Enter"),
        ]),
        history(),
        drawSelection(),
        closeBrackets(),
        autocompletion({
          override: [complete],
          activateOnTypingDelay: 150,
          icons: false,
          closeOnBlur: true,
          selectOnOpen: false,
          // Nothing is taken that was not chosen: the list need not wait before it hears the arrows.
          interactionDelay: 0,
          defaultKeymap: false,
        }),
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
    focus: (at) => {
      if (at !== undefined) view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) } });
      view.focus();
      // Who was typing is offered what they would have been offered here.
      if (at && at === view.state.doc.length) startCompletion(view);
    },
    destroy: () => view.destroy(),
  };
}
