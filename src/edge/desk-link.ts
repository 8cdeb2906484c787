/**
 * Desk link: the worker's end of the messages between desk and live thread.
 *
 * Commands become promises by number, bounded, so that a flood of requests is refused here and not queued in front of
 * the show. Messages of the other kinds are handed to whoever owns them.
 */
import type { MessagePort } from "node:worker_threads";
import type { DeskAnswers, DeskCommand, DeskCommandKind, DeskToLive, LiveToDesk } from "../manage/desk-messages.js";

/** Commands that wait for an answer at a time. */
const COMMANDS_MAX = 1_024;

interface Waiting {
  readonly resolve: (answer: DeskAnswers[DeskCommandKind]) => void;
  readonly reject: (error: Error) => void;
}

export class DeskLink {
  /** Everything that is not an answer. */
  onMessage: (message: LiveToDesk) => void = () => {};
  /** Commands refused because too many were waiting. */
  refusedCommands = 0;
  private readonly port: MessagePort;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;

  constructor(port: MessagePort) {
    this.port = port;
    port.on("message", (message: LiveToDesk) => this.receive(message));
  }

  post(message: DeskToLive, transfer: readonly ArrayBuffer[] = []): void {
    this.port.postMessage(message, transfer);
  }

  /** @throws Error when too many commands wait, or when the live thread could not carry it out. */
  command<Kind extends DeskCommandKind>(
    command: Extract<DeskCommand, { readonly kind: Kind }>,
  ): Promise<DeskAnswers[Kind]> {
    if (this.waiting.size >= COMMANDS_MAX) {
      this.refusedCommands++;
      return Promise.reject(new Error("too many requests are waiting"));
    }
    const id = this.nextId++;
    const answer = new Promise<DeskAnswers[DeskCommandKind]>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
    });
    this.post({ kind: "command", id, command: command as DeskCommand });
    // An answer has the kind of its command: the host answers each with what `DeskAnswers` says.
    return answer as Promise<DeskAnswers[Kind]>;
  }

  close(): void {
    for (const { reject } of this.waiting.values()) reject(new Error("the node is closing"));
    this.waiting.clear();
    this.port.close();
  }

  private receive(message: LiveToDesk): void {
    if (message.kind !== "answer" && message.kind !== "answerFailed") {
      this.onMessage(message);
      return;
    }
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.kind === "answer") waiting?.resolve(message.answer);
    else waiting?.reject(new Error(message.text));
  }
}
