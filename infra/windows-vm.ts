import * as compute from "@pulumi/azure-native/compute";
import type * as managedidentity from "@pulumi/azure-native/managedidentity";
import type * as network from "@pulumi/azure-native/network";
import type * as resources from "@pulumi/azure-native/resources";
import type { Settings } from "./config";
import { IDENTITY_CLIENT_ID_TAG } from "./rules";

/** Azure refuses a change of these on a VM that exists (409 PropertyChangeNotAllowed), and azure-native doesn't replace it by itself. */
const IMMUTABLE_PROPERTIES = [
  "osProfile.adminUsername",
  "osProfile.adminPassword",
  "osProfile.computerName",
  "storageProfile.imageReference",
];

/** Step 2: the Windows VM that carries the identity, that identity only, and no secret of its own. */
export function createWindowsVm(
  settings: Settings,
  resourceGroup: resources.ResourceGroup,
  networkInterface: network.NetworkInterface,
  identity: managedidentity.UserAssignedIdentity,
): compute.VirtualMachine {
  return new compute.VirtualMachine(
    "windows-vm",
    {
      resourceGroupName: resourceGroup.name,
      vmName: settings.vmName,
      location: settings.location,
      tags: { ...settings.tags, [IDENTITY_CLIENT_ID_TAG]: identity.clientId },
      identity: {
        type: compute.ResourceIdentityType.UserAssigned,
        userAssignedIdentities: [identity.id],
      },
      hardwareProfile: { vmSize: settings.vmSize },
      osProfile: {
        computerName: settings.vmName,
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
