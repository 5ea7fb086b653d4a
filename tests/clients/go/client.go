// Creates, reads, changes, pages and deletes tokens through the middleware of Microsoft's Graph client for Go, which
// compresses request bodies, with an access token of Microsoft's identity client; prints what it was answered, as JSON.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	khttp "github.com/microsoft/kiota-http-go"
)

type object = map[string]any

type input struct {
	URL          string   `json:"url"`
	TenantID     string   `json:"tenantId"`
	ClientID     string   `json:"clientId"`
	ClientSecret string   `json:"clientSecret"`
	Bodies       []object `json:"bodies"`
}

type client struct {
	tokens string
	bearer string
	http   *http.Client
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func (c client) send(method, address string, body object) (int, object) {
	var content []byte
	if body != nil {
		content = must(json.Marshal(body))
	}
	request := must(http.NewRequest(method, address, bytes.NewReader(content)))
	request.Header.Set("Authorization", "Bearer "+c.bearer)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	} else {
		request.Body = nil
	}
	response := must(c.http.Do(request))
	defer response.Body.Close()
	answer := object{}
	if response.StatusCode != http.StatusNoContent {
		must(0, json.NewDecoder(response.Body).Decode(&answer))
	}
	return response.StatusCode, answer
}

func (c client) page(address string) []any {
	found := []any{}
	for address != "" {
		_, page := c.send("GET", address, nil)
		for _, token := range page["value"].([]any) {
			found = append(found, token.(object)["displayName"])
		}
		address, _ = page["@odata.nextLink"].(string)
	}
	return found
}

func main() {
	var given input
	must(0, json.Unmarshal([]byte(os.Getenv("CLIENT_INPUT")), &given))
	credential := must(azidentity.NewClientSecretCredential(given.TenantID, given.ClientID, given.ClientSecret,
		&azidentity.ClientSecretCredentialOptions{
			ClientOptions: azcore.ClientOptions{
				Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: given.URL},
			},
			DisableInstanceDiscovery: true,
		}))
	scope := policy.TokenRequestOptions{Scopes: []string{given.URL + "/.default"}}
	c := client{
		tokens: given.URL + "/beta/deviceAppManagement/vppTokens",
		bearer: must(credential.GetToken(context.Background(), scope)).Token,
		http:   khttp.GetDefaultClient(),
	}

	made, statuses := []string{}, []int{}
	for _, body := range given.Bodies {
		status, token := c.send("POST", c.tokens, body)
		made, statuses = append(made, fmt.Sprint(token["id"])), append(statuses, status)
	}
	one := c.tokens + "/" + made[0]
	_, read := c.send("GET", one+"?$select=id,displayName", nil)
	_, changed := c.send("PATCH", one, object{"displayName": "Changed"})
	_, synced := c.send("POST", one+"/syncLicenses", nil)
	paged := c.page(c.tokens + "?$top=2&$orderby=" + url.QueryEscape("displayName desc"))
	for _, id := range made {
		status, _ := c.send("DELETE", c.tokens+"/"+id, nil)
		statuses = append(statuses, status)
	}
	status, refusal := c.send("GET", one, nil)

	must(0, json.NewEncoder(os.Stdout).Encode(object{
		"statuses": statuses, "read": read["displayName"], "changed": changed["displayName"], "paged": paged,
		"synced": synced["lastSyncStatus"], "refusal": []any{status, refusal["error"].(object)["code"]},
	}))
}
