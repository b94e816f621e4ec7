/** SQL in lines, for reading. What is in quotes stays as it is. */

const BREAKS = ["WITH", "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "UNION ALL", "HAVING", "SETTINGS"];
const TOKEN = new RegExp(`'(?:\\\\.|''|[^'\\\\])*'|\`[^\`]*\`|"[^"]*"|\\b(?:${BREAKS.join("|")})\\b|[()]|[^'"\`()\\w]+|\\w+`, "g");
const INDENT = "  ";

/** Each clause on a line of its own, subqueries indented. */
export function laidOut(sql: string): string {
  let depth = 0;
  let out = "";
  /** Of each open parenthesis, whether it holds a query. */
  const open: boolean[] = [];
  const tokens = sql.trim().match(TOKEN) ?? [];
  for (const [i, token] of tokens.entries()) {
    if (BREAKS.includes(token)) {
      out = `${out.trimEnd()}${out ? `\n${INDENT.repeat(depth)}` : ""}${token}`;
    } else if (token === "(") {
      const query = ["SELECT", "WITH"].includes(tokens[i + 1]?.trim() || (tokens[i + 2] ?? ""));
      open.push(query);
      depth += query ? 1 : 0;
      out += token;
    } else if (token === ")") {
      const query = open.pop() ?? false;
      if (query) {
        depth--;
        out = `${out.trimEnd()}\n${INDENT.repeat(depth)}`;
      }
      out += token;
    } else out += token;
  }
  return out;
}
