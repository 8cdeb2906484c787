/**
 * Node options: what a node is given when it is made, fixed for its life.
 */
import type { FrameCipher } from "../security/aead.js";
import type { MergePolicies } from "../state/merge-policy.js";
import type { ElectionRules } from "../sync/election.js";
import type { TermRecord } from "../sync/promises.js";
import type { SendLimits } from "../sync/send-budget.js";
import type { Reachability } from "./controller.js";
import type { NodeIdentity, NodeLimits } from "./core.js";

export interface NodeOptions {
  readonly identity: NodeIdentity;
  readonly limits: NodeLimits;
  readonly meshKey: Uint8Array;
  readonly meshTag: number;
  /** 8 bytes each. */
  readonly nodeId: Uint8Array;
  readonly session: Uint8Array;
  /** Read whenever it is told; the edge may change it. */
  readonly reachability: Reachability;
  readonly declaresAuto: boolean;
  /** As controller it writes how the nodes fare into `/system/peers`. Default false. */
  readonly showsPeers?: boolean;
  /** The network interface, as the others are to see it. */
  readonly interfaceName?: string;
  /** Frames that the journal reaches back, 0..8. Default 3. */
  readonly redundancy?: number;
  readonly sendLimits?: SendLimits;
  /** Who decides who is controller. Default: `island`. */
  readonly electionRules?: ElectionRules;
  /** What an earlier boot promised; undefined when nothing is known. */
  readonly termRecord?: TermRecord | undefined;
  /** Default SODIUM; for simulations only. */
  readonly cipher?: FrameCipher;
  /** What happens to what both sides of a partition changed. Default: `lww` everywhere. */
  readonly mergePolicies?: MergePolicies;
}
