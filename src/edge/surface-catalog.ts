/**
 * Surface catalog: what this machine knows about surfaces: the hardware profiles, and the aliases that its user gave.
 *
 * It is read when the first device is bound, a file a turn of the event loop, so that a running show does not feel it.
 * A profile with mistakes is left out and told; the rest serve.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { formatComplaint } from "../config/complaint.js";
import { type Adoption, type KnownProfile, SurfaceProfiles } from "../input/surface-profiles.js";
import { profileFiles, readProfile } from "./profile-library.js";
import { SurfaceAliases } from "./surface-aliases.js";
import { type Environment, userFolders } from "./user-folders.js";

export interface SurfaceCatalogParts {
  /** Something that was read is not right: sentences. */
  readonly onProblem: (sentences: readonly string[]) => void;
  /** Everything has been read. */
  readonly onLoaded: (adoptions: readonly Adoption[]) => void;
  readonly environment?: Environment;
}

export class SurfaceCatalog {
  readonly profiles = new SurfaceProfiles(portSystem());
  private readonly parts: SurfaceCatalogParts;
  private readonly aliases: SurfaceAliases;
  private adopted: readonly Adoption[] = [];
  private problem = "";
  private loading: Promise<void> | undefined;
  isLoaded = false;

  constructor(parts: SurfaceCatalogParts) {
    this.parts = parts;
    this.aliases = new SurfaceAliases(userFolders(parts.environment));
  }

  /** What the user adopted, as of `load`. */
  get adoptions(): readonly Adoption[] {
    return this.adopted;
  }

  /** Reads everything, once. */
  load(): Promise<void> {
    this.loading ??= this.readAll();
    return this.loading;
  }

  private async readAll(): Promise<void> {
    const { adoptions, problem } = this.aliases.read();
    this.problem = problem;
    if (problem !== "") this.parts.onProblem([problem]);
    const known: KnownProfile[] = [];
    for (const { id, file } of profileFiles(this.parts.environment)) {
      await nextTurn();
      const parsed = readProfile(file);
      if ("profile" in parsed) known.push({ id, profile: parsed.profile });
      else this.parts.onProblem(parsed.complaints.map(formatComplaint));
    }
    this.profiles.set(known);
    this.use(adoptions);
    this.isLoaded = true;
    this.parts.onLoaded(adoptions);
  }

  /** Keeps what was adopted. Throws an error whose message says why it cannot. */
  adopt(adoptions: readonly Adoption[]): void {
    if (this.problem !== "") throw new Error(this.problem);
    this.aliases.write(adoptions);
    this.use(adoptions);
  }

  private use(adoptions: readonly Adoption[]): void {
    this.adopted = adoptions;
    this.profiles.adopt(adoptions);
  }
}

function portSystem(): "windows" | "linux" | "macos" {
  if (process.platform === "win32") return "windows";
  return process.platform === "darwin" ? "macos" : "linux";
}
