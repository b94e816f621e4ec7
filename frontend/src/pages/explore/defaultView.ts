/** Name of the view that Explore begins with when its address says nothing. */
export const DEFAULT_VIEW = "Default";
