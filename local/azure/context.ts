import type { ScriptRuns } from "./compute/script-runs";
import type { Operations } from "./operations";
import type { Resource, State } from "./state";
import type { TokenService } from "./tokens";

/** The metadata services of the VMs that run. */
export interface MetadataServices {
  /** Starts the VM's metadata service; does nothing when it is running. */
  start(virtualMachine: Resource): Promise<void>;
  /** Stops the VM's metadata service; does nothing when it isn't running. */
  stop(vmId: string): Promise<void>;
}

/** What every service works with. */
export interface Azure {
  readonly state: State;
  readonly operations: Operations;
  readonly tokens: TokenService;
  readonly metadata: MetadataServices;
  readonly scriptRuns: ScriptRuns;
  /** Milliseconds from a role assignment's creation until it works. */
  readonly rolePropagationMs: number;
}
