/** How everything that is shown is written. */
export * from "@/format/name";
export * from "@/format/number";
export * from "@/format/time";
export * from "@/format/unit";
export * from "@/format/value";
