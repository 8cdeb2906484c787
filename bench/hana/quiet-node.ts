/**
 * Quiet node: a node as it ships but for its sockets and timers. Its datagrams go where the benchmark wants them; time
 * passes for it when its clock is set.
 */
import { Random } from "../../src/base/random.js";
import type { Snapshot } from "../../src/node/adoption.js";
import { HanaNode } from "../../src/node/node.js";
import type { DatagramPort } from "../../src/node/ports.js";
import { meshTag } from "../../src/security/mesh-identity.js";
import { ImageEncoder } from "../../src/state/image.js";

const KEY = new Uint8Array(32).fill(7);
const MESH = "bench";

/** Room for paths beyond those that are asked for: the fixed ones. */
const MORE_PATHS = 1_000;

/** `place`: 1 and up; the lower, the more likely it controls. */
export class QuietNode {
  readonly hana: HanaNode;
  readonly place: number;
  onSnapshotWanted: () => void = () => {};

  constructor(place: number, paths: number, redundancy: number, datagrams: DatagramPort, more = MORE_PATHS) {
    this.place = place;
    const id = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, place);
    const hana: HanaNode = new HanaNode(
      {
        identity: {
          id: Buffer.from(id).toString("hex"),
          name: `n${place}`,
          mesh: MESH,
          priority: place === 1 ? 200 : 100,
          session: place,
        },
        limits: { paths: paths + more, autoPaths: 0 },
        meshKey: KEY,
        meshTag: meshTag(MESH),
        nodeId: id,
        session: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, place),
        reachability: { unicastPort: place, snapshotPort: place },
        declaresAuto: false,
        redundancy,
      },
      {
        datagrams,
        random: new Random(place),
        nowUs: () => this.hana.core.clock.nowUs,
        requestSettle: () => {},
        hearStream: () => {},
        fetchSnapshot: () => this.onSnapshotWanted(),
        saveTerm: (_record, revision) => hana.elections.termSaved(revision),
        onRole: () => {},
        onServing: () => {},
        onTwin: () => {},
        raiseSession: () => {},
        onHealth: () => {},
      },
    );
    this.hana = hana;
  }
}

/** What a joiner would have fetched over TCP. */
export function snapshotOf({ core, roles }: HanaNode): Snapshot {
  const encoder = new ImageEncoder(core);
  const chunks: Uint8Array[] = [];
  for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) chunks.push(chunk);
  const origins = core.origins.list();
  const { number: termNumber, node: termNode } = roles.term;
  const sequence = core.sequence[0] as number;
  return { termNumber, termNode, sequence, told: sequence, origins, lineage: [], standings: [], chunks };
}
