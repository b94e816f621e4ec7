/**
 * Colours of series and fields. Each palette was chosen so that any two of its colours, and the grey of "Other", stay
 * apart for people who see no red, no green or no blue (distance of 7 or more of 100 in Oklab after Machado's
 * simulation of each). "Other" is always grey and never in here.
 */
export const SERIES_LIGHT = [
  "#0072b2", "#f8bd2c", "#b03a17", "#4dd78d", "#593c85", "#48a0fc", "#ea7937", "#802c4c", "#adc7fc", "#8065f0",
  "#ac6d75", "#103db9", "#cb5d0e", "#845579",
] as const;

export const SERIES_DARK = [
  "#3d9be0", "#e9ae08", "#cb5d0e", "#9dd7b2", "#666ef6", "#daa6cd", "#719c70", "#6bc3fe", "#9d6353", "#bdd377",
  "#4364ac", "#e3810e", "#bd8ab0", "#98b681",
] as const;

/** From nothing to much, in even steps of lightness. */
export const RAMP_LIGHT = ["#f1f6f8", "#c5e2e6", "#8ecad2", "#4fabbe", "#2a87a8", "#1f6290", "#1f3d6f", "#1c1c45"] as const;
export const RAMP_DARK = ["#16202a", "#173a4d", "#185871", "#1f7a8f", "#399da0", "#6dbfa6", "#b1dca9", "#f5f3b4"] as const;
