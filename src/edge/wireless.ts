/**
 * Wireless: whether a network interface is a wireless one. There multicast goes out at the slowest rate, unacknowledged,
 * so a node sends less often on it and repeats more.
 */
import { existsSync, readFileSync } from "node:fs";
import { wirelessIn } from "../manage/system-tables.js";

/** Where Linux says it. */
const SYSTEM = { devices: "/sys/class/net", list: "/proc/net/wireless" };

/** Undefined where the system does not say. Linux only. */
export function isWireless(name: string, { devices, list } = SYSTEM): boolean | undefined {
  if (process.platform !== "linux") return undefined;
  // An address label such as wlan0:1 is no interface of its own.
  const device = name.split(":")[0] ?? name;
  if (!existsSync(`${devices}/${device}`)) return undefined;
  return (
    ["wireless", "phy80211"].some((entry) => existsSync(`${devices}/${device}/${entry}`)) || isListed(device, list)
  );
}

function isListed(device: string, list: string): boolean {
  try {
    return wirelessIn(readFileSync(list, "utf8")).includes(device);
  } catch {
    return false;
  }
}
