/** What health says of sockets that fail and are well again. */
import { expect, test } from "vitest";
import { SocketHealth } from "../../../src/edge/socket-health.js";
import { NetworkEvent, type NetworkTrouble } from "../../../src/edge/trouble.js";
import { TroubleReporter } from "../../../src/edge/trouble-reporter.js";

/** What health says after each trouble, and how many were news. */
function rig(): { tell: TroubleReporter["tell"]; said: string[]; news: NetworkTrouble[] } {
  const [said, news]: [string[], NetworkTrouble[]] = [[], []];
  const health = new SocketHealth();
  const reporter = new TroubleReporter((trouble) => {
    said.push(health.hear(trouble));
    if (trouble.isNews) news.push(trouble);
  });
  return { tell: reporter.tell.bind(reporter), said, news };
}

const GONE = new Error("send ENETUNREACH");

test("a cable that is pulled twice within seconds is well again both times, and news once", () => {
  const { tell, said, news } = rig();
  for (let time = 0; time < 2; time++) {
    tell(NetworkEvent.sendFailed, "multicast", GONE);
    tell(NetworkEvent.sendRecovered, "multicast", "sending again");
  }
  expect(said).toEqual([GONE.message, "", GONE.message, ""]);
  expect(news.map(({ event }) => event)).toEqual([NetworkEvent.sendFailed, NetworkEvent.sendRecovered]);
});

test("that one socket sends again says nothing of another", () => {
  const { tell, said } = rig();
  tell(NetworkEvent.sendFailed, "multicast", GONE);
  tell(NetworkEvent.sendFailed, "unicast", new Error("send EPERM"));
  tell(NetworkEvent.sendRecovered, "multicast", "sending again");
  tell(NetworkEvent.sendRecovered, "unicast", "sending again");
  expect(said).toEqual([GONE.message, GONE.message, "send EPERM", ""]);
});

test("what failed beside sending is over when any socket sends again", () => {
  const { tell, said } = rig();
  tell(NetworkEvent.receiveFailed, "unicast", new Error("recvmsg ENETDOWN"));
  tell(NetworkEvent.sendFailed, "multicast", GONE);
  tell(NetworkEvent.sendRecovered, "multicast", "sending again");
  expect(said).toEqual(["recvmsg ENETDOWN", GONE.message, ""]);
});
