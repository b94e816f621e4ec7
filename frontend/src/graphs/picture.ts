/** A graph as a file: drawn again as SVG, with a heading above and a legend below; PNG is made of that. */
import { init } from "@/charts/echarts";
import type { BuiltGraph } from "@/graphs/built";
import type { GraphColors } from "@/graphs/context";
import type { Mark } from "@/graphs/marks";

export interface PictureFrame {
  width: number;
  height: number;
  heading: string;
  /** Second line: what was asked. */
  detail: string;
  colors: GraphColors;
}

const MARGIN = 16;
const HEAD = 50;
const ROW = 20;
/** Room of a letter, and the most letters of a name. */
const LETTER = 7;
const MOST_LETTERS = 48;
const FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', Arial, sans-serif";

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function clipped(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** Columns of the legend, and the width of each: as much as the longest name needs. */
function legendColumns(marks: readonly Mark[], width: number): { columns: number; cell: number } {
  const longest = Math.min(Math.max(0, ...marks.map((mark) => mark.name.length)), MOST_LETTERS);
  const cell = longest * LETTER + 32;
  return { columns: Math.max(1, Math.floor(width / cell)), cell };
}

function legend(marks: readonly Mark[], top: number, width: number, colors: GraphColors): string {
  const { columns, cell } = legendColumns(marks, width);
  return marks
    .map((mark, i) => {
      const x = MARGIN + (i % columns) * cell;
      const y = top + Math.floor(i / columns) * ROW;
      return (
        `<rect x="${x}" y="${y + 4}" width="10" height="10" rx="3" fill="${escaped(mark.color)}"/>` +
        `<text x="${x + 16}" y="${y + 13}" font-size="12" fill="${escaped(colors.ink2)}">${escaped(clipped(mark.name, MOST_LETTERS))}</text>`
      );
    })
    .join("");
}

/** The picture as the text of an SVG file. */
export function composePicture(drawing: string, marks: readonly Mark[], frame: PictureFrame): { svg: string; width: number; height: number } {
  const { colors } = frame;
  const width = frame.width + 2 * MARGIN;
  const { columns } = legendColumns(marks, frame.width);
  const legendTop = HEAD + frame.height + 12;
  const height = legendTop + Math.ceil(marks.length / columns) * ROW + MARGIN;
  const letters = Math.floor(frame.width / LETTER);
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">` +
    `<rect width="100%" height="100%" fill="${escaped(colors.surface)}"/>` +
    `<text x="${MARGIN}" y="24" font-size="15" font-weight="600" fill="${escaped(colors.ink)}">${escaped(clipped(frame.heading, letters))}</text>` +
    `<text x="${MARGIN}" y="42" font-size="12" fill="${escaped(colors.ink3)}">${escaped(clipped(frame.detail, letters))}</text>` +
    `<g transform="translate(${MARGIN} ${HEAD})">${drawing}</g>` +
    `${legend(marks, legendTop, frame.width, colors)}</svg>`;
  return { svg, width, height };
}

async function rasterised(svg: string, width: number, height: number): Promise<Blob> {
  const image = new Image(width, height);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * 2;
  canvas.height = height * 2;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser could not make a picture of this size."))), "image/png");
  });
}

export async function drawPicture(built: BuiltGraph, format: "png" | "svg", frame: PictureFrame): Promise<Blob> {
  const { width, height, colors } = frame;
  const copy = init(null, null, { renderer: "svg", ssr: true, width, height });
  copy.setOption({ ...built.option, color: [...colors.series], textStyle: { color: colors.ink2, fontFamily: FONT }, animation: false });
  const drawing = copy.renderToSVGString();
  copy.dispose();
  // The names of bars, nodes and rows stand in the drawing.
  const named = built.scale !== null && !built.scale.counted && !built.scale.cell;
  const picture = composePicture(drawing, named ? built.marks.filter((mark) => !mark.reverse) : [], frame);
  if (format === "svg") return new Blob([picture.svg], { type: "image/svg+xml" });
  return rasterised(picture.svg, picture.width, picture.height);
}
