/** The UDP sockets, for real, on 127.0.0.1 alone. */
import { createSocket, Socket } from "node:dgram";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DatagramSender, type SendCallback, type SendingSocket } from "../../src/edge/datagram-sender.js";
import { MeshSocket, type MeshSocketOptions } from "../../src/edge/mesh-socket.js";
import { OSC_DATAGRAM_MAX_BYTES, OscSocket } from "../../src/edge/osc-socket.js";
import { NetworkEvent, type NetworkTrouble } from "../../src/edge/trouble.js";
import { DATAGRAM_BURST } from "../../src/input/osc-subscriber.js";

const LOOPBACK = "127.0.0.1";
const GROUP = "239.77.201.17";
const MEETING_GROUP = "239.77.73.17";
const OTHER_GROUP = "239.77.201.18";
const MESH_PORT = 17_701;

interface Closable {
  close(): unknown;
}
const open: Closable[] = [];
afterEach(async () => {
  for (const socket of open.splice(0)) await socket.close();
});

interface Heard {
  readonly text: string;
  readonly port: number;
  readonly isMulticast: boolean;
}

async function mesh(options: Partial<MeshSocketOptions> = {}) {
  const troubles: NetworkTrouble[] = [];
  const heard: Heard[] = [];
  const socket = await MeshSocket.open({
    group: GROUP,
    meetingGroup: MEETING_GROUP,
    meshPort: MESH_PORT,
    interfaceAddress: LOOPBACK,
    onTrouble: (trouble) => troubles.push(trouble),
    ...options,
  });
  open.push(socket);
  socket.onDatagram((bytes, address, port, isMulticast) => {
    expect(address).toBe(LOOPBACK);
    heard.push({ text: Buffer.from(bytes).toString(), port, isMulticast });
  });
  return { socket, heard, troubles };
}

async function osc(port = 0) {
  const troubles: NetworkTrouble[] = [];
  const socket = await OscSocket.open({ port, address: LOOPBACK, onTrouble: (trouble) => troubles.push(trouble) });
  open.push(socket);
  return { socket, troubles };
}

async function stranger(port: number, address: string): Promise<Socket> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(port, address, resolve));
  open.push(socket);
  return socket;
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

describe("mesh sockets", () => {
  it("share the mesh port: each node of a host hears every multicast, its own too", async () => {
    const [first, second] = [await mesh(), await mesh()];
    first.socket.sendMulticast(text("to all"));
    const expected = [{ text: "to all", port: first.socket.multicastPort, isMulticast: true }];
    await vi.waitFor(() => expect([first.heard, second.heard]).toEqual([expected, expected]));
  });

  it("get unicast each on a port of its own, marked as such", async () => {
    const [first, second, third] = [await mesh(), await mesh(), await mesh()];
    first.socket.sendUnicast(text("to you"), LOOPBACK, second.socket.unicastPort);
    const expected = [{ text: "to you", port: first.socket.unicastPort, isMulticast: false }];
    await vi.waitFor(() => expect(second.heard).toEqual(expected));
    expect([first.heard, third.heard]).toEqual([[], []]);
  });

  it("carry announcements in a group of their own", async () => {
    const [first, second, other] = [await mesh(), await mesh(), await mesh({ meetingGroup: OTHER_GROUP })];
    first.socket.sendAnnouncement(text("to all"));
    for (const { heard } of [first, second]) {
      await vi.waitFor(() => expect(heard).toMatchObject([{ text: "to all", isMulticast: true }]));
    }
    other.socket.sendMulticast(text("to all that hear the stream"));
    await vi.waitFor(() => expect(first.heard.length).toBe(2));
    expect(other.heard.map((datagram) => datagram.text)).toEqual(["to all that hear the stream"]);
  });

  it("hear nothing of another group on the same port", async () => {
    const [first, other] = [await mesh(), await mesh({ group: OTHER_GROUP })];
    other.socket.sendMulticast(text("not yours"));
    await vi.waitFor(() => expect(other.heard.length).toBe(1));
    first.socket.sendMulticast(text("yours"));
    await vi.waitFor(() => expect(first.heard.map((datagram) => datagram.text)).toEqual(["yours"]));
    expect(other.heard.length).toBe(1);
  });

  it("send what the buffer held when send was called, however soon it is overwritten", async () => {
    const [first, second] = [await mesh(), await mesh()];
    const buffer = new Uint8Array(1_000);
    const count = 500;
    for (let number = 0; number < count; number++) {
      buffer.fill(number);
      expect(first.socket.sendMulticast(buffer)).toBe(true);
    }
    await vi.waitFor(() => expect(second.heard.length).toBe(count));
    const wrong = second.heard.filter(({ text: got }, at) => got !== Buffer.alloc(1_000, at).toString());
    expect(wrong.length).toBe(0);
    expect([first.socket.sent, first.socket.dropped]).toEqual([count, 0]);
  });

  it("have receive buffers of 4 MiB, or say how much less it is", async () => {
    const { socket, troubles } = await mesh();
    const { multicast, unicast } = socket.receiveBufferBytes;
    const warned = troubles.some(({ event }) => event === NetworkEvent.smallReceiveBuffer);
    expect(warned).toBe(Math.min(multicast, unicast) < 1_048_576);
    expect(Math.max(multicast, unicast)).toBeLessThanOrEqual(4 * 1_048_576);
  });

  it("drop and count what no peer can mean: bad ports, too long, after closing", async () => {
    const { socket } = await mesh();
    for (const port of [0, -1, 65_536, 1.5, Number.NaN]) {
      expect(socket.sendUnicast(text("x"), LOOPBACK, port)).toBe(false);
    }
    expect(socket.sendUnicast(text("x"), "", 7)).toBe(false);
    expect(socket.sendMulticast(new Uint8Array(1_201))).toBe(false);
    await socket.close();
    await socket.close();
    expect(socket.sendMulticast(text("x"))).toBe(false);
    expect(socket.sendUnicast(text("x"), LOOPBACK, 7_000)).toBe(false);
    expect(socket.dropped).toBe(9);
  });

  it("tell trouble once when it begins and once when it is over, and never throw it", async () => {
    const { socket, troubles } = await mesh();
    const tell = async (address: string, event: NetworkEvent) => {
      await vi.waitFor(() => {
        for (let times = 0; times < 10; times++) socket.sendUnicast(text("x"), address, 7_000);
        expect(troubles.map((trouble) => trouble.event)).toContain(event);
      });
    };
    await tell("no address", NetworkEvent.sendFailed);
    await tell(LOOPBACK, NetworkEvent.sendRecovered);
    const sendTroubles = troubles.filter(({ event }) => event !== NetworkEvent.smallReceiveBuffer);
    expect(sendTroubles.map(({ code, event, socket: name }) => [event, name, code])).toEqual([
      [NetworkEvent.sendFailed, "unicast", "EINVAL"],
      [NetworkEvent.sendRecovered, "unicast", ""],
    ]);
  });

  it("can leave the group and join it anew", async () => {
    const { socket, heard } = await mesh();
    expect(await Promise.all([socket.rejoin(), socket.rejoin()])).toEqual([true, true]);
    socket.sendMulticast(text("still here"));
    await vi.waitFor(() => expect(heard.map((datagram) => datagram.text)).toEqual(["still here"]));
  });

  describe("that are not to hear the stream", () => {
    type Ear = Awaited<ReturnType<typeof mesh>>;

    /** Sends to both groups, waits until the announcement is here, and answers what came of the stream. */
    async function ask(from: Ear, to: Ear): Promise<string[]> {
      to.heard.length = 0;
      from.socket.sendMulticast(text("stream"));
      from.socket.sendAnnouncement(text("announcement"));
      const texts = (): string[] => to.heard.map((datagram) => datagram.text);
      await vi.waitFor(() => expect(texts()).toContain("announcement"));
      // What goes to two sockets of one process may be read in either order, yet in the same turn or the next.
      for (let turn = 0; turn < 10; turn++) await nextTurn();
      return texts().filter((heard) => heard === "stream");
    }

    async function pair(): Promise<[Ear, Ear]> {
      return [await mesh(), await mesh()];
    }

    it("get nothing of it while others on the host do, and hear it again at once", async () => {
      const [controller, follower] = await pair();
      controller.socket.hearStream(false);
      await nextTurn();
      for (let round = 0; round < 3; round++) {
        expect(await ask(controller, follower)).toEqual(["stream"]);
        expect(await ask(controller, controller)).toEqual([]);
        expect(await ask(follower, controller)).toEqual([]);
      }
      controller.socket.hearStream(true);
      expect(await ask(follower, controller)).toEqual(["stream"]);
    });

    it("stay so through a rejoin, and hear it afterwards when they are to", async () => {
      const [controller, follower] = await pair();
      controller.socket.hearStream(false);
      expect(await controller.socket.rejoin()).toBe(true);
      expect(await ask(follower, controller)).toEqual([]);
      controller.socket.hearStream(true);
      expect(await ask(follower, controller)).toEqual(["stream"]);
      expect(await controller.socket.rejoin()).toBe(true);
      expect(await ask(follower, controller)).toEqual(["stream"]);
    });

    it("stay so in a socket that took the place of one whose memberships were used up", async () => {
      const [controller, follower] = await pair();
      controller.socket.hearStream(false);
      await nextTurn();
      const usedUp = new Error("no room", { cause: "test" }) as NodeJS.ErrnoException;
      usedUp.code = "ENOBUFS";
      const refused = vi.spyOn(Socket.prototype, "addMembership").mockImplementationOnce(() => {
        throw usedUp;
      });
      expect(await controller.socket.rejoin()).toBe(true);
      refused.mockRestore();
      await nextTurn();
      expect(await ask(follower, controller)).toEqual([]);
      controller.socket.hearStream(true);
      expect(await ask(follower, controller)).toEqual(["stream"]);
    });

    it.each([
      [[false, true], ["stream"]],
      [[false, true, false], []],
      [[false, true, false, true], ["stream"]],
    ])("end as they are told last, however fast: %j", async (wishes, expected) => {
      const [controller, follower] = await pair();
      for (const isWanted of wishes) controller.socket.hearStream(isWanted);
      await nextTurn();
      expect(await ask(follower, controller)).toEqual(expected);
    });

    it("hear on where the system refuses", async () => {
      const [controller, follower] = await pair();
      vi.spyOn(Socket.prototype, "connect").mockImplementationOnce((...args: unknown[]) => {
        (args.at(-1) as (error: Error) => void)(new Error("refused"));
      });
      controller.socket.hearStream(false);
      await nextTurn();
      expect(await ask(follower, controller)).toEqual(["stream"]);
      expect(controller.troubles.filter(({ event }) => event !== NetworkEvent.smallReceiveBuffer)).toEqual([]);
    });

    it("may be closed while they are about to", async () => {
      const [controller] = await pair();
      controller.socket.hearStream(false);
      await controller.socket.close();
      controller.socket.hearStream(true);
      controller.socket.hearStream(false);
      await nextTurn();
      expect(await controller.socket.rejoin()).toBe(false);
    });
  });

  it("say that a stranger holds the mesh port, and what to do: exit code 69", async () => {
    await stranger(MESH_PORT + 1, "0.0.0.0");
    await expect(mesh({ meshPort: MESH_PORT + 1 })).rejects.toMatchObject({
      exitCode: 69,
      resource: "port",
      message: expect.stringMatching(/17702 .*in use.*--mesh-port/) as string,
    });
  });

  it("say that an interface is not there, and leave no socket open", async () => {
    await expect(mesh({ interfaceAddress: "192.0.2.77" })).rejects.toMatchObject({
      exitCode: 69,
      resource: "interface",
    });
    const alone = await stranger(MESH_PORT, GROUP);
    expect(alone.address().port).toBe(MESH_PORT);
  });
});

describe("the OSC socket", () => {
  it("receives, and answers from the same port", async () => {
    const { socket } = await osc();
    const surface = await stranger(0, LOOPBACK);
    const answers: string[] = [];
    surface.on("message", (bytes, remote) => answers.push(`${remote.port} ${bytes.toString()}`));
    socket.onDatagram((bytes, address, port) => socket.sendTo(bytes, address, port));
    surface.send("/fader", socket.port, LOOPBACK);
    await vi.waitFor(() => expect(answers).toEqual([`${socket.port} /fader`]));
  });

  it("sends the longest datagram there is, and drops a longer one", async () => {
    const { socket } = await osc();
    const surface = await stranger(0, LOOPBACK);
    surface.setRecvBufferSize(262_144);
    const lengths: number[] = [];
    surface.on("message", (bytes) => lengths.push(bytes.length));
    expect(socket.sendTo(new Uint8Array(OSC_DATAGRAM_MAX_BYTES), LOOPBACK, surface.address().port)).toBe(true);
    expect(socket.sendTo(new Uint8Array(OSC_DATAGRAM_MAX_BYTES + 1), LOOPBACK, surface.address().port)).toBe(false);
    await vi.waitFor(() => expect(lengths).toEqual([OSC_DATAGRAM_MAX_BYTES]));
  });

  it("takes a subscriber's whole burst while the kernel's buffer is full", async () => {
    const { socket } = await osc();
    const full = vi.spyOn(Socket.prototype, "getSendQueueCount").mockReturnValue(1);
    const burst = Array.from({ length: DATAGRAM_BURST }, (_, number) => socket.sendTo(text(`${number}`), LOOPBACK, 9));
    const oneMore = socket.sendTo(text("one more"), LOOPBACK, 9);
    full.mockRestore();
    expect([burst.filter((isTaken) => isTaken).length, oneMore]).toEqual([DATAGRAM_BURST, false]);
  });

  it("shares its port with nobody: the second gets exit code 69 and is told of --port", async () => {
    const { socket } = await osc();
    await expect(osc(socket.port)).rejects.toMatchObject({
      exitCode: 69,
      resource: "port",
      message: expect.stringContaining("--port") as string,
    });
  });
});

/** A socket whose kernel buffer is full: what is sent waits by reference, as in libuv, until `drain`. */
class StuffedSocket implements SendingSocket {
  readonly delivered: string[] = [];
  isFull = false;
  private readonly queue: Uint8Array[] = [];

  send(bytes: Uint8Array, ...rest: (number | string | SendCallback | undefined)[]): void {
    const callback = rest.find((argument) => typeof argument === "function");
    if (this.isFull || this.queue.length > 0) this.queue.push(bytes);
    else this.delivered.push(Buffer.from(bytes).toString());
    callback?.(null);
  }

  getSendQueueCount(): number {
    return this.queue.length;
  }

  drain(): void {
    this.isFull = false;
    for (const bytes of this.queue.splice(0)) this.delivered.push(Buffer.from(bytes).toString());
  }
}

describe("a datagram sender whose kernel buffer is full", () => {
  const sender = (socket: SendingSocket) =>
    new DatagramSender(socket, { datagramMaxBytes: 100, slots: 8, onError: () => {}, onRecovered: () => {} });

  it("keeps what waits untouched by what is sent later, and the order", () => {
    const socket = new StuffedSocket();
    const sending = sender(socket);
    const buffer = new Uint8Array(1);
    const numbers = [..."0123456789"];
    for (const number of numbers) {
      if (number === "2") socket.isFull = true;
      if (number === "7") socket.drain();
      buffer.set(text(number));
      expect(sending.send(buffer)).toBe(true);
    }
    expect(socket.delivered).toEqual(numbers);
  });

  it("drops and counts when every slot waits, and goes on when they are free", () => {
    const socket = new StuffedSocket();
    const sending = sender(socket);
    socket.isFull = true;
    const results = Array.from({ length: 11 }, (_, number) => sending.send(text(String(number))));
    expect(results).toEqual([...Array<boolean>(8).fill(true), false, false, false]);
    expect([sending.sent, sending.dropped]).toEqual([8, 3]);
    socket.drain();
    expect(sending.send(text("on"))).toBe(true);
    expect(socket.delivered).toEqual([..."01234567", "on"]);
  });
});

describe("a datagram sender", () => {
  it("tells an error of the system that node:dgram would swallow", async () => {
    const socket = createSocket({ type: "udp4", lookup: (address, _options, callback) => callback(null, address, 4) });
    open.push(socket);
    const errors: string[] = [];
    const sending = new DatagramSender(socket, {
      datagramMaxBytes: 70_000,
      onError: (error) => errors.push(error.message),
      onRecovered: () => {},
    });
    await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
    sending.sendTo(new Uint8Array(70_000), LOOPBACK, 7_000);
    await nextTurn();
    expect(errors).toEqual([expect.stringContaining("EMSGSIZE")]);
  });
});
