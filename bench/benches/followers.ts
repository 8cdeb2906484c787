/** Followers: what a change costs the controller of 100 followers, beside one of one. */
import type { Bench, BenchOptions, BenchResult } from "../harness/bench.js";
import { Children } from "../harness/remote.js";
import { median } from "../harness/samples.js";
import { MANY } from "../hana/followers.js";
import type { PartsPeer } from "../parts-peer.js";

const PARTS_PEER = new URL("../parts-peer.js", import.meta.url);

export const followers: Bench = {
  name: "followers",
  what: "a change at the controller, by how many follow",
  async run({ runs }: BenchOptions): Promise<BenchResult> {
    const children = new Children();
    try {
      const cost = await children.spawn<PartsPeer>(PARTS_PEER).followers(runs * 2);
      const ratios = cost.manyUs.map((manyUs, round) => manyUs / (cost.fewUs[round] as number));
      return {
        rows: [
          {
            id: "followers.cost",
            what: `a change at the controller of ${MANY} followers, 1 kHz fader (floor: of one)`,
            unit: "µs",
            value: cost.isEqual ? median(cost.manyUs) : Number.POSITIVE_INFINITY,
            floor: median(cost.fewUs),
            ratio: cost.isEqual ? median(ratios) : Number.POSITIVE_INFINITY,
            note: `${cost.manyDatagrams.toFixed(2)} datagrams a change, with one ${cost.fewDatagrams.toFixed(2)}`,
          },
        ],
      };
    } finally {
      await children.end();
    }
  },
};
