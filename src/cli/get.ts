/** Get: prints one value, alone on one line, in its shortest form that reads back the same. */
import { NodeClient, type NodeOptions } from "./node-client.js";
import { plainText, printLine } from "./output.js";

interface GetOptions extends NodeOptions {
  readonly json?: boolean;
}

export async function get(path: string, options: GetOptions): Promise<void> {
  const text = await new NodeClient(options).get(`/-/get?path=${encodeURIComponent(path)}`);
  if (options.json) printLine(text.trimEnd());
  else printLine(plainText((JSON.parse(text) as { value: unknown }).value));
}
