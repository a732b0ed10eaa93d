/** Type of virtual machines. */
export const VIRTUAL_MACHINE_TYPE = "Microsoft.Compute/virtualMachines";
/** Type of managed run commands, children of virtual machines. */
export const RUN_COMMAND_TYPE = "Microsoft.Compute/virtualMachines/runCommands";
/** Type of managed disks. */
export const DISK_TYPE = "Microsoft.Compute/disks";

/** Versions of Microsoft.Compute: @azure/arm-compute 22.4 and azure-native 3 send the last one. */
export const COMPUTE_API_VERSIONS: readonly string[] = ["2024-03-01", "2024-07-01", "2024-11-01"];
/** Versions of its disk resources; @azure/arm-compute 22.4 sends the last one. */
export const DISK_API_VERSIONS: readonly string[] = ["2023-10-02", "2024-03-02"];
