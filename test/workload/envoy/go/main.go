// A client of Envoy's secret discovery service by go-control-plane's types: `client SOCKET` subscribes to its SVID and the
// authorities, verifies the one by the other, acknowledges, and waits for a rotation. One JSON line for each thing that came to pass.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secretv3 "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

func say(line map[string]any) {
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

func must(err error) {
	if err != nil {
		say(map[string]any{"code": int(status.Code(err)), "details": err.Error()})
		os.Exit(1)
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	connection, err := grpc.NewClient("unix://"+os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	client := secretv3.NewSecretDiscoveryServiceClient(connection)
	stream, err := client.StreamSecrets(ctx)
	must(err)
	request := &discoveryv3.DiscoveryRequest{
		Node: &corev3.Node{
			Id: "test",
			UserAgentVersionType: &corev3.Node_UserAgentBuildVersion{
				UserAgentBuildVersion: &corev3.BuildVersion{Version: &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 39}},
			},
		},
		ResourceNames: []string{"default", "ALL"},
		TypeUrl:       "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
	}
	must(stream.Send(request))
	first, response := receive(stream)
	say(map[string]any{"spiffeId": first.URIs[0].String()})

	must(stream.Send(&discoveryv3.DiscoveryRequest{
		ResourceNames: request.ResourceNames,
		TypeUrl:       request.TypeUrl,
		VersionInfo:   response.VersionInfo,
		ResponseNonce: response.Nonce,
	}))
	second, _ := receive(stream)
	say(map[string]any{"rotated": first.SerialNumber.Cmp(second.SerialNumber) != 0})
}

// receive takes the next response apart: an SVID that the authorities in it verify.
func receive(stream secretv3.SecretDiscoveryService_StreamSecretsClient) (*x509.Certificate, *discoveryv3.DiscoveryResponse) {
	response, err := stream.Recv()
	must(err)
	var leaf *x509.Certificate
	roots := x509.NewCertPool()
	for _, resource := range response.Resources {
		secret := new(tlsv3.Secret)
		must(resource.UnmarshalTo(secret))
		must(secret.ValidateAll())
		if certificate := secret.GetTlsCertificate(); certificate != nil {
			pair, err := tls.X509KeyPair(certificate.CertificateChain.GetInlineBytes(), certificate.PrivateKey.GetInlineBytes())
			must(err)
			leaf, err = x509.ParseCertificate(pair.Certificate[0])
			must(err)
			continue
		}
		config := new(tlsv3.SPIFFECertValidatorConfig)
		must(secret.GetValidationContext().CustomValidatorConfig.TypedConfig.UnmarshalTo(config))
		must(config.ValidateAll())
		if !roots.AppendCertsFromPEM(config.TrustDomains[0].TrustBundle.GetInlineBytes()) {
			must(errors.New("no authorities"))
		}
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	must(err)
	return leaf, response
}
