/**
 * Mesh socket: a node's UDP sockets on the chosen interface.
 *
 *   stream     in: stream group:meshPort, shared with every other node of this host. The controller's stream.
 *              out: interface:ephemeral, connected to the group, so that a send is one system call
 *   meeting    likewise, with the meeting group: what all nodes hear, whoever they follow
 *   unicast    interface:ephemeral, sends and receives; its port is in our heartbeats
 *
 * Own multicast comes back (loopback is on, other nodes of this host need it), and the opener drops it. But each frame
 * that comes back wakes the event loop once more, and delays a receiver that shares the processor (measured: 7 to 10 us
 * of a hop of 50). So whose stream it is does not hear that group. Unicast has a port of its own, for on a shared one
 * it reaches only one of the nodes. Trouble after opening is told through `onTrouble`; nothing here ever ends the
 * process.
 */
import { DATAGRAM_MAX_BYTES } from "../wire/envelope.js";
import { DatagramSender } from "./datagram-sender.js";
import { GroupReceiver } from "./group-receiver.js";
import { messageOf, NetworkEvent, type NetworkTrouble, ResourceUnavailable } from "./trouble.js";
import { TroubleReporter } from "./trouble-reporter.js";
import { RECEIVE_BUFFER_LOW_BYTES, smallBufferSentence, UdpSocket } from "./udp-socket.js";

export interface MeshSocketOptions {
  /** The group of the stream, 239.77.x.y. */
  readonly group: string;
  /** The group in which all nodes meet, another one. */
  readonly meetingGroup: string;
  readonly meshPort: number;
  /** An IPv4 address of this machine. */
  readonly interfaceAddress: string;
  readonly onTrouble: (trouble: NetworkTrouble) => void;
}

export type MeshDatagramHandler = (bytes: Uint8Array, address: string, port: number, isMulticast: boolean) => void;

const REJOIN_PAUSE_MS = 1_000;

/** What one multicast group needs. */
interface GroupSockets {
  readonly receiver: GroupReceiver;
  readonly out: UdpSocket;
}

export class MeshSocket {
  readonly unicastPort: number;
  /** The source port of what goes to the group of the stream. */
  readonly multicastPort: number;
  /** Granted to the sockets of the groups (the smaller one) and the unicast socket. */
  readonly receiveBufferBytes: { readonly multicast: number; readonly unicast: number };

  private readonly options: MeshSocketOptions;
  private readonly stream: GroupSockets;
  private readonly meeting: GroupSockets;
  private readonly unicast: UdpSocket;
  private readonly streamSender: DatagramSender;
  private readonly meetingSender: DatagramSender;
  private readonly unicastSender: DatagramSender;
  private readonly reporter: TroubleReporter;
  private isClosed = false;
  private rejoinTimer: NodeJS.Timeout | undefined;
  private isRejoinDue = false;

  private constructor(options: MeshSocketOptions, reporter: TroubleReporter, sockets: Opened) {
    const { stream, meeting, unicast } = sockets;
    this.options = options;
    this.reporter = reporter;
    this.stream = stream;
    this.meeting = meeting;
    this.unicast = unicast;
    this.unicastPort = unicast.port;
    this.multicastPort = stream.out.port;
    const multicast = Math.min(stream.receiver.receiveBufferBytes, meeting.receiver.receiveBufferBytes);
    this.receiveBufferBytes = { multicast, unicast: unicast.receiveBufferBytes };
    this.streamSender = this.sender(stream.out, STREAM);
    this.meetingSender = this.sender(meeting.out, MEETING);
    this.unicastSender = this.sender(unicast, UNICAST);
    unicast.onError((error) => reporter.tell(NetworkEvent.receiveFailed, UNICAST, error));
    stream.out.onError((error) => reporter.tell(NetworkEvent.sendFailed, STREAM, error));
    meeting.out.onError((error) => reporter.tell(NetworkEvent.sendFailed, MEETING, error));
    this.warnOfSmallBuffer();
  }

  /** Rejects with `ResourceUnavailable` when the mesh port is held by a stranger or the interface is not there. */
  static async open(options: MeshSocketOptions): Promise<MeshSocket> {
    const reporter = new TroubleReporter(options.onTrouble);
    const opening = new Opening(options, reporter);
    try {
      const stream = await opening.group(options.group, STREAM);
      const meeting = await opening.group(options.meetingGroup, MEETING);
      const unicast = await opening.socket();
      return new MeshSocket(options, reporter, { stream, meeting, unicast });
    } catch (error) {
      await opening.undo();
      throw error;
    }
  }

  /** To every node that hears the stream, at once; the view may be overwritten afterwards. False: dropped. */
  sendMulticast(view: Uint8Array): boolean {
    return this.streamSender.send(view);
  }

  /** To every node of the mesh on this network, likewise. */
  sendAnnouncement(view: Uint8Array): boolean {
    return this.meetingSender.send(view);
  }

  /** To one node, at once; `address` is an IPv4 literal. False: dropped. */
  sendUnicast(view: Uint8Array, address: string, port: number): boolean {
    return this.unicastSender.sendTo(view, address, port);
  }

  /** Every datagram has a buffer of its own. Call once, right after opening. */
  onDatagram(handler: MeshDatagramHandler): void {
    for (const { receiver } of [this.stream, this.meeting]) {
      receiver.onDatagram((bytes, address, port) => handler(bytes, address, port, true));
    }
    this.unicast.onDatagram((bytes, address, port) => handler(bytes, address, port, false));
  }

  /** Whether the group of the stream is to be heard. It is at first. */
  hearStream(isWanted: boolean): void {
    this.stream.receiver.hear(isWanted);
  }

  get sent(): number {
    return this.streamSender.sent + this.meetingSender.sent + this.unicastSender.sent;
  }

  /** Datagrams never handed to the system, mostly because its send buffer stayed full. */
  get dropped(): number {
    return this.streamSender.dropped + this.meetingSender.dropped + this.unicastSender.dropped;
  }

  /**
   * Leaves the groups and joins them anew: after the interface came back, and after a switch has pruned them
   * (joining sends the report that a missing querier never asks for). False, and told, when the interface is gone.
   */
  async rejoin(): Promise<boolean> {
    if (this.isClosed) return false;
    const joined = await Promise.all([this.joinAnew(this.stream, STREAM), this.joinAnew(this.meeting, MEETING)]);
    return joined.every((isJoined) => isJoined);
  }

  /** The same at once, and while it is asked for again and again once a second: a socket may fail with every other send. */
  rejoinSoon(): void {
    this.isRejoinDue = this.rejoinTimer !== undefined;
    if (this.isRejoinDue || this.isClosed) return;
    void this.rejoin();
    this.rejoinTimer = setTimeout(() => {
      this.rejoinTimer = undefined;
      if (this.isRejoinDue) this.rejoinSoon();
    }, REJOIN_PAUSE_MS);
    this.rejoinTimer.unref();
  }

  private async joinAnew({ out, receiver }: GroupSockets, name: string): Promise<boolean> {
    try {
      out.socket.setMulticastInterface(this.options.interfaceAddress);
      await receiver.rejoin();
      return true;
    } catch (error) {
      this.reporter.tell(NetworkEvent.joinFailed, name, error);
      return false;
    }
  }

  /** Leaves the groups and closes all sockets; what is sent later is dropped. May be called twice. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.rejoinTimer);
    this.reporter.close();
    for (const sender of [this.streamSender, this.meetingSender, this.unicastSender]) sender.close();
    const { stream, meeting, unicast } = this;
    const sockets = [stream.receiver, stream.out, meeting.receiver, meeting.out, unicast];
    await Promise.all(sockets.map((socket) => socket.close()));
  }

  private sender(socket: UdpSocket, name: string): DatagramSender {
    return new DatagramSender(socket.socket, {
      datagramMaxBytes: DATAGRAM_MAX_BYTES,
      onError: (error) => this.reporter.tell(NetworkEvent.sendFailed, name, error),
      onRecovered: () => this.reporter.tell(NetworkEvent.sendRecovered, name, "sending again"),
    });
  }

  private warnOfSmallBuffer(): void {
    const granted = Math.min(this.receiveBufferBytes.multicast, this.receiveBufferBytes.unicast);
    if (granted < RECEIVE_BUFFER_LOW_BYTES) {
      this.reporter.tell(NetworkEvent.smallReceiveBuffer, STREAM, smallBufferSentence(granted));
    }
  }
}

/** The sockets' names in what is told. */
const STREAM = "multicast";
const MEETING = "meeting";
const UNICAST = "unicast";
const PORT_REMEDY = "is it a program other than hana? `--mesh-port` chooses another, the same for the whole mesh";

interface Opened {
  readonly stream: GroupSockets;
  readonly meeting: GroupSockets;
  readonly unicast: UdpSocket;
}

/** Opens sockets one by one, and closes those that it has when one cannot be had. */
class Opening {
  private readonly options: MeshSocketOptions;
  private readonly reporter: TroubleReporter;
  private readonly opened: { close(): Promise<void> }[] = [];

  constructor(options: MeshSocketOptions, reporter: TroubleReporter) {
    this.options = options;
    this.reporter = reporter;
  }

  async group(group: string, name: string): Promise<GroupSockets> {
    const { interfaceAddress, meshPort: port } = this.options;
    const onError = (error: unknown): void => this.reporter.tell(NetworkEvent.receiveFailed, name, error);
    const receiver = await GroupReceiver.open({ group, port, interfaceAddress, portRemedy: PORT_REMEDY, onError });
    this.opened.push(receiver);
    const out = await this.socket();
    await aim(out, group, this.options);
    return { receiver, out };
  }

  async socket(): Promise<UdpSocket> {
    const { interfaceAddress: address } = this.options;
    const socket = await UdpSocket.open({ address, port: 0, isShared: false, portRemedy: PORT_REMEDY });
    this.opened.push(socket);
    return socket;
  }

  async undo(): Promise<void> {
    await Promise.all(this.opened.map((socket) => socket.close()));
  }
}

/** Makes a socket send to the group through the chosen interface, no further than this network. */
async function aim(socket: UdpSocket, group: string, options: MeshSocketOptions): Promise<void> {
  const { interfaceAddress, meshPort } = options;
  try {
    socket.socket.setMulticastInterface(interfaceAddress);
    socket.socket.setMulticastTTL(1);
    socket.socket.setMulticastLoopback(true);
    await socket.connect(meshPort, group);
  } catch (error) {
    const message = `cannot send to ${group} from ${interfaceAddress}: ${messageOf(error)}`;
    throw new ResourceUnavailable("interface", message, error);
  }
}
