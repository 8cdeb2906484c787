/**
 * Group receiver: hears one multicast group on a port that all nodes of this host share.
 *
 * The socket is bound to the group's address because Linux gives a socket bound to the wildcard the datagrams of every
 * group that anyone on the host joined. Windows cannot bind there and gets the wildcard; what is not for this mesh is
 * then told by its tag.
 *
 * A membership says what the interface lets in, not what the socket hears: after it is dropped, Linux goes on handing
 * over what others on the host let in. So a receiver that is not to hear is connected to a port of this host that
 * sends nothing, and disconnected to hear again, without a gap in the membership. A system that refuses hears on.
 */
import { codeOf, messageOf, ResourceUnavailable } from "./trouble.js";
import { type DatagramHandler, UdpSocket } from "./udp-socket.js";

export interface GroupReceiverOptions {
  /** 239.77.x.y. */
  readonly group: string;
  readonly port: number;
  /** An IPv4 address of this machine. */
  readonly interfaceAddress: string;
  /** What to tell the user to do when the port is taken. */
  readonly portRemedy: string;
  readonly onError: (error: unknown) => void;
}

/** The discard port (RFC 863): nobody sends from it. */
const SILENT_PORT = 9;
const SILENT_ADDRESS = "127.0.0.1";

export class GroupReceiver {
  readonly receiveBufferBytes: number;
  private readonly options: GroupReceiverOptions;
  private udp: UdpSocket;
  private handler: DatagramHandler = () => {};
  private isClosed = false;
  private isWanted = true;
  private isHearing = true;
  /** Connecting takes a turn; what is wanted then may be something else. */
  private isTurning = false;

  private constructor(options: GroupReceiverOptions, udp: UdpSocket) {
    this.options = options;
    this.udp = udp;
    this.receiveBufferBytes = udp.receiveBufferBytes;
    this.listen(udp);
  }

  /** Rejects with `ResourceUnavailable` when the port is held by a stranger or the interface is not there. */
  static async open(options: GroupReceiverOptions): Promise<GroupReceiver> {
    return new GroupReceiver(options, await openJoined(options));
  }

  onDatagram(handler: DatagramHandler): void {
    this.handler = handler;
  }

  /** Whether datagrams are to come. May be called at any time; what the system still holds from before may come. */
  hear(isWanted: boolean): void {
    this.isWanted = isWanted;
    this.turn();
  }

  private turn(): void {
    if (this.isTurning || this.isClosed || this.isWanted === this.isHearing) return;
    if (this.isWanted) this.connectNoMore();
    else void this.connectToSilence(this.udp);
  }

  private async connectToSilence(udp: UdpSocket): Promise<void> {
    this.isTurning = true;
    let isConnected = true;
    try {
      await udp.connect(SILENT_PORT, SILENT_ADDRESS);
    } catch {
      isConnected = false;
    }
    if (udp !== this.udp) return;
    this.isTurning = false;
    this.isHearing = !isConnected;
    if (isConnected) this.turn();
  }

  private connectNoMore(): void {
    try {
      this.udp.socket.disconnect();
      this.isHearing = true;
    } catch {
      // Deaf for good would be worse than anything: another socket takes its place.
      this.replace().catch(this.options.onError);
    }
  }

  /** Leaves the group and joins it anew. Rejects when the interface is gone. */
  async rejoin(): Promise<void> {
    if (this.isClosed) return;
    const { group, interfaceAddress } = this.options;
    try {
      this.udp.socket.dropMembership(group, interfaceAddress);
    } catch {
      // Not a member any more: the interface took the membership with it.
    }
    if (!this.joinsAgain()) await this.replace();
  }

  /**
   * False when the socket's memberships are used up. A card replaced by one with the same address leaves a membership
   * that can no longer be named, and Linux allows twenty of them (seen after the nineteenth replacement).
   */
  private joinsAgain(): boolean {
    try {
      join(this.udp, this.options);
      return true;
    } catch (error) {
      if (error instanceof ResourceUnavailable && codeOf(error.cause) === "ENOBUFS") return false;
      throw error;
    }
  }

  private async replace(): Promise<void> {
    const udp = await openJoined(this.options);
    const old = this.udp;
    this.udp = udp;
    this.isTurning = false;
    this.isHearing = true;
    this.listen(udp);
    this.turn();
    await old.close();
    // Closed meanwhile: the new socket came too late to be closed with the others.
    if (this.isClosed) await udp.close();
  }

  private listen(udp: UdpSocket): void {
    udp.onError(this.options.onError);
    udp.onDatagram((bytes, address, port) => this.handler(bytes, address, port));
  }

  /** May be called twice. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.udp.close();
  }
}

async function openJoined(options: GroupReceiverOptions): Promise<UdpSocket> {
  const { group, port, portRemedy } = options;
  const address = process.platform === "win32" ? "0.0.0.0" : group;
  const udp = await UdpSocket.open({ address, port, isShared: true, portRemedy });
  try {
    join(udp, options);
    return udp;
  } catch (error) {
    await udp.close();
    throw error;
  }
}

function join(udp: UdpSocket, { group, interfaceAddress }: GroupReceiverOptions): void {
  try {
    udp.socket.addMembership(group, interfaceAddress);
  } catch (error) {
    const message = `cannot join ${group} on ${interfaceAddress}: ${messageOf(error)}`;
    throw new ResourceUnavailable("interface", message, error);
  }
}
