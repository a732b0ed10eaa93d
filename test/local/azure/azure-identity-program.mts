/**
 * A program on a VM that uses Microsoft's client libraries: gets a token with the options given as JSON, reads the resource
 * group, and prints what came of it as JSON. A process each, since the credential's library keeps the address of the first
 * metadata service, and tokens, for all credentials in a process.
 */
import { ResourceManagementClient } from "@azure/arm-resources";
import { ManagedIdentityCredential } from "@azure/identity";
import type { ManagedIdentityCredentialClientIdOptions } from "@azure/identity";

/** What became of one call; the error has what all of these libraries' errors have. */
type Outcome = { value: unknown } | { error: { name: string; message: string; code?: string } };

async function getOutcome(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await call() };
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return { error: { name, message, ...(code === undefined ? {} : { code }) } };
  }
}

const [, , options = "", subscriptionId = "", resourceGroup = ""] = process.argv;
const { AZURE_RESOURCE_MANAGER_ENDPOINT: endpoint = "" } = process.env;
const credential = new ManagedIdentityCredential(
  JSON.parse(options) as ManagedIdentityCredentialClientIdOptions,
);
const { resourceGroups } = new ResourceManagementClient(credential, subscriptionId, { endpoint });
const token = await getOutcome(() => credential.getToken(`${endpoint}/.default`));
const group =
  "error" in token ? undefined : await getOutcome(() => resourceGroups.get(resourceGroup));
console.log(JSON.stringify({ token, group }));
