/** The least that the same work takes in Node: its own HTTP client, and no diagnosis. */
import { get as getOverHttp } from "node:http";
import { get as getOverHttps } from "node:https";

const {
  AZURE_POD_IDENTITY_AUTHORITY_HOST: imds = "",
  AZURE_RESOURCE_MANAGER_ENDPOINT: arm = "",
  AZURE_CLIENT_ID: clientId = "",
  AZURE_SUBSCRIPTION_ID: subscriptionId = "",
  AZURE_RESOURCE_GROUP: resourceGroup = "",
} = process.env;

function get(url: string, headers: Record<string, string>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const start = url.startsWith("https:") ? getOverHttps : getOverHttp;
    const request = start(url, { headers, timeout: 10_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`HTTP ${response.statusCode ?? 0}`));
      });
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
  });
}

async function main(): Promise<void> {
  const query = new URLSearchParams({
    "api-version": "2018-02-01",
    resource: `${arm}/`,
    client_id: clientId,
  });
  const tokenUrl = `${imds}/metadata/identity/oauth2/token?${query.toString()}`;
  const token = (await get(tokenUrl, { Metadata: "true" })) as { access_token: string };
  const headers = { Authorization: `Bearer ${token.access_token}` };
  const groupUrl = `${arm}/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  const group = await get(`${groupUrl}?api-version=2021-04-01`, headers);
  const permissions = await get(
    `${groupUrl}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`,
    headers,
  );
  console.log(JSON.stringify({ group, permissions }));
}

void main();
