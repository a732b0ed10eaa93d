import { findPublicAddress, listConfigurationsOf } from "./network";
import type { ImdsAnswer, ImdsContext, ImdsRequest } from "./answer";
import { readObject } from "../json";
import type { JsonObject } from "../json";
import { findResource } from "../state";
import type { Resource } from "../state";

/** Versions of the instance endpoint, newest first. */
const API_VERSIONS: readonly string[] = [
  "2023-11-15",
  "2023-07-01",
  "2021-12-13",
  "2021-11-15",
  "2021-11-01",
  "2021-10-01",
  "2021-08-01",
  "2021-05-01",
  "2021-03-01",
  "2021-02-01",
];

/** How many versions a refusal names. */
const NEWEST_VERSIONS_SHOWN = 3;

/**
 * Answers `/metadata/instance` and `/metadata/instance/compute`. Missing values are "". "Instance
 * metadata", https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#instance-metadata.
 */
export function answerInstance({ path, query }: ImdsRequest, context: ImdsContext): ImdsAnswer {
  const problem = findProblem(query);
  if (problem !== undefined) return problem;
  const virtualMachine = findResource(context.azure.state, context.vmId);
  if (virtualMachine === undefined) {
    return { status: 404, body: { error: "Not found" } };
  }
  const compute = getCompute(virtualMachine, context);
  if (path.endsWith("/compute")) return { status: 200, body: compute };
  return { status: 200, body: { compute, network: getNetwork(virtualMachine, context) } };
}

function findProblem(query: URLSearchParams): ImdsAnswer | undefined {
  const newest = { "newest-versions": API_VERSIONS.slice(0, NEWEST_VERSIONS_SHOWN) };
  const apiVersion = query.get("api-version") ?? "";
  if (apiVersion === "") {
    const error =
      "Bad request. api-version was not specified in the request. For more information refer to aka.ms/azureimds";
    return { status: 400, body: { error, ...newest } };
  }
  if (!API_VERSIONS.includes(apiVersion)) {
    const error =
      "Bad request. api-version is invalid or not supported for this request. For more information refer to aka.ms/azureimds";
    return { status: 400, body: { error, ...newest } };
  }
  const format = query.get("format") ?? "json";
  if (format === "json") return undefined;
  return { status: 501, body: { error: `The local Azure does not implement format=${format}.` } };
}

function getCompute({ id, ...vm }: Resource, { azure }: ImdsContext): JsonObject {
  const { properties } = vm;
  const hardware = readObject(properties["hardwareProfile"], "hardwareProfile");
  const storage = readObject(properties["storageProfile"], "storageProfile");
  const image = readObject(storage["imageReference"], "imageReference");
  const osProfile = readObject(properties["osProfile"], "osProfile");
  const security = readObject(properties["securityProfile"], "securityProfile");
  const uefi = readObject(security["uefiSettings"], "uefiSettings");
  const tags = Object.entries(vm.tags ?? {});
  return {
    azEnvironment: "AzurePublicCloud",
    customData: "",
    evictionPolicy: "",
    isHostCompatibilityLayerVm: "false",
    licenseType: properties["licenseType"] ?? "",
    location: vm.location ?? "",
    name: vm.name,
    offer: image["offer"] ?? "",
    osProfile: {
      adminUsername: osProfile["adminUsername"] ?? "",
      computerName: osProfile["computerName"] ?? "",
      disablePasswordAuthentication: "",
    },
    osType: "Windows",
    placementGroupId: "",
    plan: { name: "", product: "", publisher: "" },
    platformFaultDomain: "0",
    platformUpdateDomain: "0",
    priority: properties["priority"] ?? "",
    provider: "Microsoft.Compute",
    publicKeys: [],
    publisher: image["publisher"] ?? "",
    resourceGroupName: id.split("/")[4] ?? "",
    resourceId: id,
    securityProfile: {
      secureBootEnabled: String(uefi["secureBootEnabled"] === true),
      virtualTpmEnabled: String(uefi["vTpmEnabled"] === true),
    },
    sku: image["sku"] ?? "",
    subscriptionId: azure.state.subscriptionId,
    tags: tags.map(([name, value]) => `${name}:${value}`).join(";"),
    tagsList: tags.map(([name, value]) => ({ name, value })),
    // Never what was put: user data has an endpoint of its own.
    userData: "",
    version: image["version"] ?? "",
    vmId: properties["vmId"] ?? "",
    vmScaleSetName: "",
    vmSize: hardware["vmSize"] ?? "",
    zone: vm.zones?.[0] ?? "",
  };
}

function getNetwork(virtualMachine: Resource, { azure }: ImdsContext): JsonObject {
  return {
    interface: listConfigurationsOf(azure.state, virtualMachine).map(
      ({ macAddress, configurations, subnet }) => ({
        ipv4: {
          ipAddress: configurations.map((one) => ({
            privateIpAddress: one.privateIpAddress ?? "",
            publicIpAddress: findPublicAddress(azure.state, one) ?? "",
          })),
          subnet: [subnet],
        },
        ipv6: { ipAddress: [] },
        macAddress: macAddress.replaceAll("-", ""),
      }),
    ),
  };
}
