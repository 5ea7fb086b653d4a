// Creates, reads, changes, pages and deletes tokens with Microsoft's client; prints what it was answered, as JSON.
import { ConfidentialClientApplication } from "@azure/msal-node";
import { Client, PageIterator } from "@microsoft/microsoft-graph-client";

const { url, tenantId, clientId, clientSecret, bodies } = JSON.parse(process.env.CLIENT_INPUT);
const TOKENS = "/deviceAppManagement/vppTokens";

const application = new ConfidentialClientApplication({
  auth: { clientId, clientSecret, authority: `${url}/${tenantId}`, knownAuthorities: [new URL(url).host] },
});
const client = Client.initWithMiddleware({
  authProvider: {
    getAccessToken: async () =>
      (await application.acquireTokenByClientCredential({ scopes: [`${url}/.default`] })).accessToken,
  },
  baseUrl: `${url}/`,
  defaultVersion: "beta",
  customHosts: new Set([new URL(url).hostname]),
});

const made = [];
for (const body of bodies) made.push(await client.api(TOKENS).post(body));
const one = `${TOKENS}/${made[0].id}`;
const read = await client.api(one).select(["id", "displayName"]).get();
const changed = await client.api(one).patch({ displayName: "Changed" });
const filtered = await client.api(TOKENS).filter("displayName eq 'Changed'").count(true).get();
const synced = await client.api(`${one}/syncLicenses`).post(null);

const paged = [];
const first = await client.api(TOKENS).orderby("displayName desc").top(2).get();
await new PageIterator(client, first, (token) => paged.push(token.displayName)).iterate();
const apps = await client.api("/deviceAppManagement/mobileApps").filter("isof('microsoft.graph.iosVppApp')").top(999).get();
const v1 = await client.api(TOKENS).version("v1.0").get();

for (const { id } of made) await client.api(`${TOKENS}/${id}`).delete();
const refusal = await client.api(one).get().catch((error) => ({ status: error.statusCode, code: error.code }));

console.log(
  JSON.stringify({
    made: made.map((token) => token.displayName),
    read: read.displayName,
    changed: changed.displayName,
    filtered: [filtered["@odata.count"], filtered.value.length],
    synced: synced.lastSyncStatus,
    paged,
    apps: apps.value.length > 0,
    v1: v1.value.length,
    refusal,
  }),
);
