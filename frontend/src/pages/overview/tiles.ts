/** The rankings of the overview. */

export interface TileInfo {
  key: string;
  title: string;
  dimensions: readonly string[];
  /** Shown in its place where the flows say nothing of it. */
  instead?: { title: string; dimensions: readonly string[] };
}

export const TILES: readonly TileInfo[] = [
  { key: "src-as", title: "Source AS", dimensions: ["SrcAS"] },
  { key: "dst-as", title: "Destination AS", dimensions: ["DstAS"] },
  { key: "countries", title: "Source countries", dimensions: ["SrcCountry"] },
  { key: "protocols", title: "Protocols", dimensions: ["Proto"] },
  { key: "ports", title: "Destination ports", dimensions: ["DstPort"] },
  {
    key: "applications",
    title: "Applications",
    dimensions: ["ApplicationName"],
    // Destination ports have a tile: those of the sources say who serves.
    instead: { title: "Source ports", dimensions: ["SrcPort"] },
  },
];

/** Rows of a tile. */
export const TILE_ROWS = 7;
