/**
 * Mesh socket: a node's three UDP sockets on the chosen interface.
 *
 *   receive    group:meshPort, shared with every other node of this host; multicast only
 *   multicast  interface:ephemeral, connected to the group, so that a send is one system call
 *   unicast    interface:ephemeral, sends and receives; its port is in our heartbeats
 *
 * The receive socket is bound to the group's address because Linux gives a socket bound to the wildcard the datagrams
 * of every group that anyone on the host joined. Windows cannot bind there and gets the wildcard; other meshes' frames
 * are then told by their tag. Unicast has a port of its own, for on a shared one it reaches only one of the nodes.
 *
 * Own multicast comes back (loopback is on, other nodes of this host need it); the opener drops it. Trouble after
 * opening is told through `onTrouble`; nothing here ever ends the process.
 */
import { DATAGRAM_MAX_BYTES } from "../wire/envelope.js";
import { DatagramSender } from "./datagram-sender.js";
import { codeOf, messageOf, NetworkEvent, type NetworkTrouble, ResourceUnavailable } from "./trouble.js";
import { TroubleReporter } from "./trouble-reporter.js";
import { RECEIVE_BUFFER_LOW_BYTES, smallBufferSentence, UdpSocket } from "./udp-socket.js";

export interface MeshSocketOptions {
  /** 239.77.x.y. */
  readonly group: string;
  readonly meshPort: number;
  /** An IPv4 address of this machine. */
  readonly interfaceAddress: string;
  readonly onTrouble: (trouble: NetworkTrouble) => void;
}

export type MeshDatagramHandler = (bytes: Uint8Array, address: string, port: number, isMulticast: boolean) => void;

export class MeshSocket {
  readonly unicastPort: number;
  /** The source port of our multicast. */
  readonly multicastPort: number;
  /** Granted to the receive and the unicast socket. */
  readonly receiveBufferBytes: { readonly multicast: number; readonly unicast: number };

  private readonly options: MeshSocketOptions;
  private receive: UdpSocket;
  private readonly multicast: UdpSocket;
  private readonly unicast: UdpSocket;
  private readonly multicastSender: DatagramSender;
  private readonly unicastSender: DatagramSender;
  private readonly reporter: TroubleReporter;
  private handler: MeshDatagramHandler = () => {};
  private isClosed = false;

  private constructor(options: MeshSocketOptions, receive: UdpSocket, multicast: UdpSocket, unicast: UdpSocket) {
    this.options = options;
    this.reporter = new TroubleReporter(options.onTrouble);
    this.receive = receive;
    this.multicast = multicast;
    this.unicast = unicast;
    this.unicastPort = unicast.port;
    this.multicastPort = multicast.port;
    this.receiveBufferBytes = { multicast: receive.receiveBufferBytes, unicast: unicast.receiveBufferBytes };
    this.multicastSender = this.sender(multicast, "multicast");
    this.unicastSender = this.sender(unicast, "unicast");
    this.listen(receive);
    unicast.onError((error) => this.reporter.tell(NetworkEvent.receiveFailed, "unicast", error));
    multicast.onError((error) => this.reporter.tell(NetworkEvent.sendFailed, "multicast", error));
    this.warnOfSmallBuffer();
  }

  /** Rejects with `ResourceUnavailable` when the mesh port is held by a stranger or the interface is not there. */
  static async open(options: MeshSocketOptions): Promise<MeshSocket> {
    const { group, interfaceAddress, meshPort } = options;
    const opened: UdpSocket[] = [];
    const open = async (address: string, port: number, isShared: boolean): Promise<UdpSocket> => {
      const socket = await UdpSocket.open({ address, port, isShared, portRemedy: PORT_REMEDY });
      opened.push(socket);
      return socket;
    };
    try {
      const receive = await open(receiveAddress(group), meshPort, true);
      const multicast = await open(interfaceAddress, 0, false);
      const unicast = await open(interfaceAddress, 0, false);
      join(receive, options);
      await aim(multicast, options);
      return new MeshSocket(options, receive, multicast, unicast);
    } catch (error) {
      await Promise.all(opened.map((socket) => socket.close()));
      throw error;
    }
  }

  /** To every node of the mesh on this network, at once; the view may be overwritten afterwards. False: dropped. */
  sendMulticast(view: Uint8Array): boolean {
    return this.multicastSender.send(view);
  }

  /** To one node, at once; `address` is an IPv4 literal. False: dropped. */
  sendUnicast(view: Uint8Array, address: string, port: number): boolean {
    return this.unicastSender.sendTo(view, address, port);
  }

  /** Every datagram has a buffer of its own. Call once, right after opening. */
  onDatagram(handler: MeshDatagramHandler): void {
    this.handler = handler;
    this.unicast.onDatagram((bytes, address, port) => handler(bytes, address, port, false));
  }

  get sent(): number {
    return this.multicastSender.sent + this.unicastSender.sent;
  }

  /** Datagrams never handed to the system, mostly because its send buffer stayed full. */
  get dropped(): number {
    return this.multicastSender.dropped + this.unicastSender.dropped;
  }

  /**
   * Leaves the group and joins it anew: after the interface came back, and after a switch has pruned the group
   * (joining sends the report that a missing querier never asks for). False, and told, when the interface is gone.
   */
  async rejoin(): Promise<boolean> {
    if (this.isClosed) return false;
    const { group, interfaceAddress } = this.options;
    try {
      this.receive.socket.dropMembership(group, interfaceAddress);
    } catch {
      // Not a member any more: the interface took the membership with it.
    }
    try {
      this.multicast.socket.setMulticastInterface(interfaceAddress);
      if (!this.joinsAgain()) await this.replaceReceiver();
      return true;
    } catch (error) {
      this.reporter.tell(NetworkEvent.joinFailed, "multicast", error);
      return false;
    }
  }

  /** Leaves the group and closes all sockets; what is sent later is dropped. May be called twice. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.reporter.close();
    this.multicastSender.close();
    this.unicastSender.close();
    await Promise.all([this.receive.close(), this.multicast.close(), this.unicast.close()]);
  }

  /**
   * False when the socket's memberships are used up. A card replaced by one with the same address leaves a membership
   * that can no longer be named, and Linux allows twenty of them (seen after the nineteenth replacement).
   */
  private joinsAgain(): boolean {
    try {
      join(this.receive, this.options);
      return true;
    } catch (error) {
      if (error instanceof ResourceUnavailable && codeOf(error.cause) === "ENOBUFS") return false;
      throw error;
    }
  }

  private async replaceReceiver(): Promise<void> {
    const { group, meshPort } = this.options;
    const address = receiveAddress(group);
    const receive = await UdpSocket.open({ address, port: meshPort, isShared: true, portRemedy: PORT_REMEDY });
    const old = this.receive;
    try {
      join(receive, this.options);
      this.listen(receive);
      this.receive = receive;
    } finally {
      await (this.receive === receive ? old : receive).close();
    }
    // Closed meanwhile: the new socket came too late to be closed with the others.
    if (this.isClosed) await receive.close();
  }

  private listen(receive: UdpSocket): void {
    receive.onError((error) => this.reporter.tell(NetworkEvent.receiveFailed, "multicast", error));
    receive.onDatagram((bytes, address, port) => this.handler(bytes, address, port, true));
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
      this.reporter.tell(NetworkEvent.smallReceiveBuffer, "multicast", smallBufferSentence(granted));
    }
  }
}

const PORT_REMEDY = "is it a program other than hana? `--mesh-port` chooses another, the same for the whole mesh";

function receiveAddress(group: string): string {
  return process.platform === "win32" ? "0.0.0.0" : group;
}

function join(receive: UdpSocket, options: MeshSocketOptions): void {
  const { group, interfaceAddress } = options;
  try {
    receive.socket.addMembership(group, interfaceAddress);
  } catch (error) {
    const message = `cannot join ${group} on ${interfaceAddress}: ${messageOf(error)}`;
    throw new ResourceUnavailable("interface", message, error);
  }
}

/** Makes a socket send to the group through the chosen interface, no further than this network. */
async function aim(multicast: UdpSocket, options: MeshSocketOptions): Promise<void> {
  const { group, interfaceAddress, meshPort } = options;
  try {
    multicast.socket.setMulticastInterface(interfaceAddress);
    multicast.socket.setMulticastTTL(1);
    multicast.socket.setMulticastLoopback(true);
    await multicast.connect(meshPort, group);
  } catch (error) {
    const message = `cannot send to ${group} from ${interfaceAddress}: ${messageOf(error)}`;
    throw new ResourceUnavailable("interface", message, error);
  }
}
