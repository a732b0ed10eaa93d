import { isSameText } from "./checks";

/** One of Azure's clouds, as far as Azure Resource Manager is concerned. */
export interface Cloud {
  /** `azEnvironment` of the instance metadata; its casing varies. */
  environment: string;
  /** Base URL of Azure Resource Manager, no trailing slash; with one, the audience of its tokens. */
  armEndpoint: string;
  /** The older name of the same audience, which a token may carry as well. */
  olderAudience: string;
}

/** The public cloud. */
export const DEFAULT_CLOUD: Readonly<Cloud> = {
  environment: "AzurePublicCloud",
  armEndpoint: "https://management.azure.com",
  olderAudience: "https://management.core.windows.net",
};

/** "Azure REST API endpoints by cloud", and the metadata service's list of Azure environments. */
export const CLOUDS: readonly Readonly<Cloud>[] = [
  DEFAULT_CLOUD,
  {
    environment: "AzureUSGovernmentCloud",
    armEndpoint: "https://management.usgovcloudapi.net",
    olderAudience: "https://management.core.usgovcloudapi.net",
  },
  {
    environment: "AzureChinaCloud",
    armEndpoint: "https://management.chinacloudapi.cn",
    olderAudience: "https://management.core.chinacloudapi.cn",
  },
];

/** The cloud that the instance metadata names. */
export function findCloud(environment: string): Cloud | undefined {
  return CLOUDS.find((cloud) => isSameText(cloud.environment, environment));
}
