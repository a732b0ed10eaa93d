/** The HTTP client that verify uses too, as a user would bundle it: whole. */
import axios from "axios";

const {
  AZURE_POD_IDENTITY_AUTHORITY_HOST: imds = "",
  AZURE_RESOURCE_MANAGER_ENDPOINT: arm = "",
  AZURE_CLIENT_ID: clientId = "",
  AZURE_SUBSCRIPTION_ID: subscriptionId = "",
  AZURE_RESOURCE_GROUP: resourceGroup = "",
} = process.env;

async function main(): Promise<void> {
  const { data: token } = await axios.get<{ access_token: string }>(
    `${imds}/metadata/identity/oauth2/token`,
    {
      params: { "api-version": "2018-02-01", resource: `${arm}/`, client_id: clientId },
      headers: { Metadata: "true" },
      proxy: false,
      timeout: 10_000,
    },
  );
  const options = {
    headers: { Authorization: `Bearer ${token.access_token}` },
    timeout: 10_000,
  };
  const groupUrl = `${arm}/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  const { data: group } = await axios.get<unknown>(`${groupUrl}?api-version=2021-04-01`, options);
  const { data: permissions } = await axios.get<unknown>(
    `${groupUrl}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`,
    options,
  );
  console.log(JSON.stringify({ group, permissions }));
}

void main();
