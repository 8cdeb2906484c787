/**
 * API backend: what the control API stands on: the replica to read, commands to the live thread to change.
 */
import type { AccessRules } from "./api-access.js";
import type { DeskAnswers, DeskCommand, DeskCommandKind } from "./desk-messages.js";
import type { InputFeed } from "./input-feed.js";
import type { Replica } from "./replica.js";

export interface ApiBackend {
  readonly rules: AccessRules;
  /** What the live thread tells of its inputs. */
  readonly feed: InputFeed;
  /** The replica, holding everything that was in the ring when this was called. */
  current(): Promise<Replica>;
  command<Kind extends DeskCommandKind>(
    command: Extract<DeskCommand, { readonly kind: Kind }>,
  ): Promise<DeskAnswers[Kind]>;
  counters(): Readonly<Record<string, number>>;
}
