import { AzureError } from "./errors";

/** Public regions, from "List of Azure regions", https://learn.microsoft.com/azure/reliability/regions-list. */
const LOCATIONS: readonly string[] = [
  "australiacentral",
  "australiaeast",
  "australiasoutheast",
  "austriaeast",
  "belgiumcentral",
  "brazilsouth",
  "canadacentral",
  "canadaeast",
  "centralindia",
  "centralus",
  "chilecentral",
  "eastasia",
  "eastus",
  "eastus2",
  "francecentral",
  "germanywestcentral",
  "indonesiacentral",
  "israelcentral",
  "italynorth",
  "japaneast",
  "japanwest",
  "koreacentral",
  "koreasouth",
  "malaysiawest",
  "mexicocentral",
  "newzealandnorth",
  "northcentralus",
  "northeurope",
  "norwayeast",
  "polandcentral",
  "qatarcentral",
  "southafricanorth",
  "southcentralus",
  "southindia",
  "southeastasia",
  "spaincentral",
  "swedencentral",
  "switzerlandnorth",
  "uaenorth",
  "uksouth",
  "ukwest",
  "westcentralus",
  "westeurope",
  "westindia",
  "westus",
  "westus2",
  "westus3",
];

/**
 * Turns a region's display name into its name, as Azure does: "West Europe" → "westeurope".
 */
function normaliseLocation(location: string): string {
  return location.replaceAll(" ", "").toLowerCase();
}

/**
 * The region that a request names, normalised.
 * @throws AzureError 400 LocationRequired when it names none, 400 LocationNotAvailableForResourceType
 * (for groups: LocationNotAvailableForResourceGroup) when there is no such region.
 */
export function readLocation(location: string | undefined, resourceType: string): string {
  if (location === undefined || location === "") {
    throw new AzureError(
      400,
      "LocationRequired",
      "The location property is required for this definition.",
    );
  }
  const name = normaliseLocation(location);
  if (LOCATIONS.includes(name)) return name;
  const list = LOCATIONS.join(",");
  if (resourceType === "Microsoft.Resources/resourceGroups") {
    throw new AzureError(
      400,
      "LocationNotAvailableForResourceGroup",
      `The provided location '${location}' is not available for resource group. List of available regions is '${list}'.`,
    );
  }
  throw new AzureError(
    400,
    "LocationNotAvailableForResourceType",
    `The provided location '${location}' is not available for resource type '${resourceType}'. List of available regions for the resource type is '${list}'.`,
  );
}
