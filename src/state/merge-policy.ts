/**
 * Merge policy: what happens to a path that both sides of a divided mesh changed. `lww`: the later change by hybrid
 * time. `authority`: the side that stays. `manual`: the side that stays, and it is open until somebody decides.
 */
import type { Component } from "./component.js";

export const MERGE_POLICIES = ["lww", "authority", "manual"] as const;
export type MergePolicy = (typeof MERGE_POLICIES)[number];

/** By component; `lww` where nothing is said. A path that is declared critical is `manual`, whatever this says. */
export type MergePolicies = Readonly<Partial<Record<Component, MergePolicy>>>;
