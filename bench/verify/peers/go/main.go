// Microsoft's client libraries for Go, compiled: for those who want no runtime on the VM.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

// Sends what is for IMDS, whose address these libraries take from nowhere, to the local one.
type localTransport struct {
	imds *url.URL
	base http.RoundTripper
}

func (transport localTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Host == "169.254.169.254" {
		request = request.Clone(request.Context())
		request.URL.Host = transport.imds.Host
	}
	return transport.base.RoundTrip(request)
}

func run(ctx context.Context) error {
	imds, err := url.Parse(os.Getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST"))
	if err != nil {
		return err
	}
	authority, err := os.ReadFile(os.Getenv("NODE_EXTRA_CA_CERTS"))
	if err != nil {
		return err
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(authority)
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.TLSClientConfig = &tls.Config{RootCAs: authorities}

	endpoint := os.Getenv("AZURE_RESOURCE_MANAGER_ENDPOINT")
	options := azcore.ClientOptions{
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: "https://login.microsoftonline.com/",
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Endpoint: endpoint, Audience: endpoint},
			},
		},
		Transport: &http.Client{Transport: localTransport{imds, base}},
	}
	credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
		ClientOptions: options,
		ID:            azidentity.ClientID(os.Getenv("AZURE_CLIENT_ID")),
	})
	if err != nil {
		return err
	}
	subscriptionID := os.Getenv("AZURE_SUBSCRIPTION_ID")
	clients, err := armresources.NewClientFactory(subscriptionID, credential, &arm.ClientOptions{
		ClientOptions: options,
		// Would ask for the providers that are registered, which no other peer does.
		DisableRPRegistration: true,
	})
	if err != nil {
		return err
	}
	name := os.Getenv("AZURE_RESOURCE_GROUP")
	group, err := clients.NewResourceGroupsClient().Get(ctx, name, nil)
	if err != nil {
		return err
	}
	permissionsID := "subscriptions/" + subscriptionID + "/resourceGroups/" + name + "/providers/Microsoft.Authorization/permissions"
	_, err = clients.NewClient().GetByID(ctx, permissionsID, "2022-04-01", nil)
	if err != nil {
		return err
	}
	fmt.Println(*group.ID)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
