// Fetches a trust domain's bundle by go-spiffe, or serves one by it. Writes JSON lines.
package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		write(map[string]any{"error": err.Error()})
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	switch args[0] {
	case "web":
		return fetchWeb(ctx, args[1], args[2], args[3])
	case "spiffe":
		return fetchSpiffe(ctx, args[1], args[2], args[3], args[4])
	case "serve":
		return serve(args[1])
	}
	return fmt.Errorf("what is %q?", args[0])
}

func fetchWeb(ctx context.Context, domain, url, roots string) error {
	pem, err := os.ReadFile(roots)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return fetch(ctx, domain, url, federation.WithWebPKIRoots(pool))
}

func fetchSpiffe(ctx context.Context, domain, url, endpoint, known string) error {
	id, err := spiffeid.FromString(endpoint)
	if err != nil {
		return err
	}
	bundle, err := spiffebundle.Load(id.TrustDomain(), known)
	if err != nil {
		return err
	}
	return fetch(ctx, domain, url, federation.WithSPIFFEAuth(bundle, id))
}

func fetch(ctx context.Context, domain, url string, option federation.FetchOption) error {
	trustDomain, err := spiffeid.TrustDomainFromString(domain)
	if err != nil {
		return err
	}
	bundle, err := federation.FetchBundle(ctx, trustDomain, url, option)
	if err != nil {
		return err
	}
	hint, _ := bundle.RefreshHint()
	keys := []string{}
	for key := range bundle.JWTAuthorities() {
		keys = append(keys, key)
	}
	return write(map[string]any{
		"trustDomain":     bundle.TrustDomain().Name(),
		"x509Authorities": len(bundle.X509Authorities()),
		"jwtAuthorities":  keys,
		"refreshHint":     hint.Seconds(),
	})
}

// serve has an authority of its own, and shows an X.509-SVID of it.
func serve(domain string) error {
	trustDomain, err := spiffeid.TrustDomainFromString(domain)
	if err != nil {
		return err
	}
	ca, caKey, err := certificate(trustDomain.IDString(), nil, nil)
	if err != nil {
		return err
	}
	leaf, key, err := certificate(trustDomain.IDString()+"/server", ca, caKey)
	if err != nil {
		return err
	}
	bundle := spiffebundle.FromX509Authorities(trustDomain, []*x509.Certificate{ca})
	bundle.SetSequenceNumber(3)
	bundle.SetRefreshHint(time.Minute)
	document, err := bundle.Marshal()
	if err != nil {
		return err
	}
	handler, err := federation.NewHandler(trustDomain, bundle)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	write(map[string]any{"url": "https://" + listener.Addr().String() + "/bundle", "bundle": string(document)})
	server := &http.Server{
		Handler: handler,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{
			{Certificate: [][]byte{leaf.Raw}, PrivateKey: key},
		}},
	}
	return server.ServeTLS(listener, "", "")
}

func certificate(id string, issuer *x509.Certificate, issuerKey crypto.Signer) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	uri, err := url.Parse(id)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		URIs:                  []*url.URL{uri},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(time.Hour),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if issuer == nil {
		template.IsCA = true
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		template.ExtKeyUsage = nil
		issuer, issuerKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	if err != nil {
		return nil, nil, err
	}
	made, err := x509.ParseCertificate(der)
	return made, key, err
}

func write(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}
