/**
 * Desk commands: what the desk asks for, carried out by the node. A command for each kind, and nothing else: what a
 * command means is the service's.
 */
import type { DeskAnswers, DeskCommand, DeskCommandKind } from "../manage/desk-messages.js";
import type { DeskService, DeskSurfaces } from "./desk-service.js";

type Answer = DeskAnswers[DeskCommandKind];

export function carryOut(command: DeskCommand, service: DeskService, surfaces: DeskSurfaces): Answer | Promise<Answer> {
  switch (command.kind) {
    case "write":
      return service.write(command.path, command.value, command.options);
    case "trigger":
      return service.trigger(command.path, command.options);
    case "declare":
      return service.declare(command.entries, command.options);
    case "rename":
      return service.rename(command.path, command.to, command.options);
    case "remove":
      return service.remove(command.path, command.options);
    case "control":
      return service.control(command.to);
    case "status":
      return service.status();
    case "peers":
      return service.peers();
    case "health":
      return service.health();
    case "logLevel":
      service.setLogLevel(command.level);
      return true;
    case "devices":
      return surfaces.devices();
    case "adopt":
      return surfaces.adopt(command.request);
    case "forget":
      return surfaces.forget(command.alias);
    case "blink":
      return surfaces.blink(command.alias);
    case "repaint":
      return surfaces.repaint(command.alias);
    case "bindings":
      return surfaces.bindings();
    case "bind":
      return surfaces.bind(command.request, command.options);
    case "unbind":
      return surfaces.unbind(command.id, command.options);
    case "learn":
      return surfaces.learn(command.request, command.options);
    case "replay":
      return surfaces.replay(command.part);
    case "feed":
      surfaces.feed(command.wish);
      return true;
  }
}
