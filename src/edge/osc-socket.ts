/**
 * OSC socket: UDP port N on all addresses, in and out. Whatever OSC goes out comes from the port that OSC goes in by,
 * which is what most surfaces expect. The port is not shared: two nodes on one port would each get half the messages.
 */
import { DATAGRAM_BURST } from "../input/osc-subscriber.js";
import { DatagramSender } from "./datagram-sender.js";
import { NetworkEvent, type NetworkTrouble } from "./trouble.js";
import { TroubleReporter } from "./trouble-reporter.js";
import { type DatagramHandler, RECEIVE_BUFFER_LOW_BYTES, smallBufferSentence, UdpSocket } from "./udp-socket.js";

export interface OscSocketOptions {
  /** 0: the system chooses. */
  readonly port: number;
  /** Default 0.0.0.0. */
  readonly address?: string;
  readonly onTrouble: (trouble: NetworkTrouble) => void;
}

/** The longest payload of a UDP datagram over IPv4. */
export const OSC_DATAGRAM_MAX_BYTES = 65_507;

export class OscSocket {
  readonly port: number;
  readonly receiveBufferBytes: number;
  private readonly udp: UdpSocket;
  private readonly sender: DatagramSender;
  private readonly reporter: TroubleReporter;

  private constructor(udp: UdpSocket, options: OscSocketOptions) {
    const reporter = new TroubleReporter(options.onTrouble);
    this.udp = udp;
    this.port = udp.port;
    this.receiveBufferBytes = udp.receiveBufferBytes;
    this.reporter = reporter;
    this.sender = new DatagramSender(udp.socket, {
      datagramMaxBytes: OSC_DATAGRAM_MAX_BYTES,
      slots: DATAGRAM_BURST,
      onError: (error) => reporter.tell(NetworkEvent.sendFailed, "osc", error),
      onRecovered: () => reporter.tell(NetworkEvent.sendRecovered, "osc", "sending again"),
    });
    udp.onError((error) => reporter.tell(NetworkEvent.receiveFailed, "osc", error));
    // Surfaces are often addressed by the subnet's broadcast address.
    udp.socket.setBroadcast(true);
    if (udp.receiveBufferBytes < RECEIVE_BUFFER_LOW_BYTES) {
      reporter.tell(NetworkEvent.smallReceiveBuffer, "osc", smallBufferSentence(udp.receiveBufferBytes));
    }
  }

  /** Rejects with `ResourceUnavailable` when the port is taken. */
  static async open(options: OscSocketOptions): Promise<OscSocket> {
    const { address = "0.0.0.0", port } = options;
    const portRemedy = "is another node running? `--port` chooses another";
    return new OscSocket(await UdpSocket.open({ address, port, isShared: false, portRemedy }), options);
  }

  onDatagram(handler: DatagramHandler): void {
    this.udp.onDatagram(handler);
  }

  /** At once; `address` is an IPv4 literal, and the view may be overwritten afterwards. False: dropped. */
  sendTo(view: Uint8Array, address: string, port: number): boolean {
    return this.sender.sendTo(view, address, port);
  }

  get sent(): number {
    return this.sender.sent;
  }

  get dropped(): number {
    return this.sender.dropped;
  }

  /** May be called twice; what is sent later is dropped. */
  async close(): Promise<void> {
    this.reporter.close();
    this.sender.close();
    await this.udp.close();
  }
}
