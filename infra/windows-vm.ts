import * as compute from "@pulumi/azure-native/compute";
import type * as managedidentity from "@pulumi/azure-native/managedidentity";
import type * as network from "@pulumi/azure-native/network";
import type { Settings } from "./config";
import { nameInFleet } from "./fleet";
import { createNetworkInterface } from "./network";
import { createPublicAddress, hasRemoteDesktop } from "./remote-desktop";
import type { ResourceGroup } from "./resource-group";
import { IDENTITY_CLIENT_ID_TAG } from "./rules";

/** Azure refuses a change of these on a VM that exists (409 PropertyChangeNotAllowed), and azure-native doesn't replace it by itself. */
const IMMUTABLE_PROPERTIES = [
  "osProfile.adminUsername",
  "osProfile.adminPassword",
  "osProfile.computerName",
  "storageProfile.imageReference",
];

/** One of the stack's VMs. */
export interface WindowsVm {
  /** In Azure and in Windows. */
  readonly name: string;
  /** 1 for the first. */
  readonly place: number;
  readonly resource: compute.VirtualMachine;
  /** Where it's reached from outside, if it is. */
  readonly publicAddress: network.PublicIPAddress | undefined;
}

/** What `get` finds of each VM, by the VM's name; without those of which it finds nothing. */
export function mapByName<T>(
  vms: readonly WindowsVm[],
  get: (vm: WindowsVm) => T | undefined,
): Record<string, T> {
  const found = vms.flatMap((vm): [string, T][] => {
    const value = get(vm);
    return value === undefined ? [] : [[vm.name, value]];
  });
  return Object.fromEntries(found);
}

/**
 * Step 2: the Windows VMs, one unless the settings say more, each with a network interface of its own.
 * All carry the same identity, that identity only, and no secret of their own.
 */
export function createWindowsVms(
  settings: Settings,
  resourceGroup: ResourceGroup,
  subnet: network.Subnet,
  identity: managedidentity.UserAssignedIdentity,
): [WindowsVm, ...WindowsVm[]] {
  function create(place: number): WindowsVm {
    const name = nameInFleet(settings.vmName, place);
    const publicAddress = hasRemoteDesktop(settings)
      ? createPublicAddress(settings, resourceGroup, place)
      : undefined;
    const networkInterface = createNetworkInterface(
      settings,
      resourceGroup,
      place,
      subnet,
      publicAddress,
    );
    const resource = createVirtualMachine(
      settings,
      resourceGroup,
      { name, place },
      networkInterface,
      identity,
    );
    return { name, place, resource, publicAddress };
  }
  const more = Array.from({ length: settings.vmCount - 1 }, (_, index) => create(index + 2));
  return [create(1), ...more];
}

function createVirtualMachine(
  settings: Settings,
  resourceGroup: ResourceGroup,
  { name, place }: Pick<WindowsVm, "name" | "place">,
  networkInterface: network.NetworkInterface,
  identity: managedidentity.UserAssignedIdentity,
): compute.VirtualMachine {
  return new compute.VirtualMachine(
    nameInFleet("windows-vm", place),
    {
      resourceGroupName: resourceGroup.name,
      vmName: name,
      location: settings.location,
      tags: { ...settings.tags, [IDENTITY_CLIENT_ID_TAG]: identity.clientId },
      identity: {
        type: compute.ResourceIdentityType.UserAssigned,
        userAssignedIdentities: [identity.id],
      },
      hardwareProfile: { vmSize: settings.vmSize },
      osProfile: {
        computerName: name,
        adminUsername: settings.adminUsername,
        adminPassword: settings.adminPassword,
        windowsConfiguration: {
          provisionVMAgent: true,
          enableAutomaticUpdates: true,
          patchSettings: {
            patchMode: compute.WindowsVMGuestPatchMode.AutomaticByPlatform,
            assessmentMode: compute.WindowsPatchAssessmentMode.AutomaticByPlatform,
          },
        },
      },
      // Said here, since not every way to create a VM defaults to Trusted Launch.
      securityProfile: {
        securityType: compute.SecurityTypes.TrustedLaunch,
        uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
      },
      storageProfile: {
        imageReference: {
          publisher: "MicrosoftWindowsServer",
          offer: "WindowsServer",
          sku: settings.imageSku,
          version: "latest",
        },
        osDisk: {
          createOption: compute.DiskCreateOptionTypes.FromImage,
          deleteOption: compute.DiskDeleteOptionTypes.Delete,
          managedDisk: { storageAccountType: compute.StorageAccountTypes.StandardSSD_LRS },
        },
      },
      networkProfile: {
        networkInterfaces: [
          {
            id: networkInterface.id,
            primary: true,
            // The stack owns the interface: deleting the VM must not take it along.
            deleteOption: compute.DeleteOptions.Detach,
          },
        ],
      },
      // Without a storage account, Azure keeps the screenshots and the log in a managed one.
      diagnosticsProfile: { bootDiagnostics: { enabled: true } },
    },
    {
      replaceOnChanges: IMMUTABLE_PROPERTIES,
      // The network interface serves one VM at a time (NicInUse).
      deleteBeforeReplace: true,
    },
  );
}
