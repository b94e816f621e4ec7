/** Whether what passes is kept, in a sentence that promises no more than is known. */
export function keptWords(storing: unknown, silent: boolean): string {
  if (silent) return "What passes meanwhile is stored only if the collector still runs; Flows will show it then.";
  switch (storing) {
    case "yes":
      return "What passes meanwhile is stored and found under Flows.";
    case "refused":
      return "The store takes no flows at the moment: what passes is not kept.";
    case "no":
      return "This collector stores no flows: what passes is not kept.";
    default:
      return "";
  }
}
